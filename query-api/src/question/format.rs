//! The forms of an answer that a question can ask for.

/// A form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    /// One JSON text.
    Json,
    /// One JSON text a line.
    NdJson,
    /// Comma-separated values with a line of names (RFC 4180).
    Csv,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// Every form.
    pub(crate) const ALL: [Self; 4] = [Self::Json, Self::NdJson, Self::Csv, Self::Parquet];

    /// Its media type.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::NdJson => "application/x-ndjson",
            Self::Csv => "text/csv",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// Its media type as an answer tells it.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            other => other.media_type(),
        }
    }
}
