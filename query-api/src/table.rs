//! A table as an answer: columns of one kind each, written as JSON, lines of JSON, CSV or Parquet. It knows nothing of what the
//! columns mean. The same table is the same bytes every time, because an answer's entity tag is made of them.

mod cell;
mod csv;
mod json;
mod parquet;

use ess_schema::Timestamp;
use ess_service::problem::{Problem, ProblemKind};
use serde_json::value::RawValue;

use self::cell::Cell;
use crate::question::Format;

/// A column: its name and its values, all of one kind.
#[derive(Debug)]
pub(crate) struct Column {
    /// What its values are called.
    pub(crate) name: String,
    /// A value a row.
    pub(crate) values: Values,
}

/// The values of a column, `None` where there is none.
#[derive(Debug)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "no list that is a table has a flag")
)]
pub(crate) enum Values {
    /// Text.
    Text(Vec<Option<String>>),
    /// Whole numbers.
    Integer(Vec<Option<i64>>),
    /// Other numbers. One that is not finite is told as none: JSON has no word for it.
    Number(Vec<Option<f64>>),
    /// Yes or no.
    Flag(Vec<Option<bool>>),
    /// Moments.
    Time(Vec<Option<Timestamp>>),
    /// JSON of any shape, embedded as it is.
    Json(Vec<Option<Box<RawValue>>>),
}

/// Columns of equal length.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: usize,
}

/// A table that cannot be written: a defect of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("a table cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a table cannot be written as CSV: {0}")]
    Csv(#[from] ::csv::Error),
    #[error("a table cannot be written as Parquet: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
}

impl Table {
    /// A table of these columns. A column that is shorter than another would be a defect; the rows that it lacks are left out.
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        let mut lengths = columns.iter().map(|column| column.values.len());
        let rows = lengths.clone().min().unwrap_or_default();
        debug_assert!(
            lengths.all(|length| length == rows),
            "columns differ in length"
        );
        Self { columns, rows }
    }

    /// The table in this form.
    ///
    /// # Errors
    /// [`WriteError`], which is no caller's fault.
    pub(crate) fn write(&self, format: Format) -> Result<Vec<u8>, WriteError> {
        match format {
            Format::Json => json::array(self),
            Format::NdJson => json::lines(self),
            Format::Csv => csv::write(self),
            Format::Parquet => parquet::write(self),
        }
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::Number(values) => values.len(),
            Self::Flag(values) => values.len(),
            Self::Time(values) => values.len(),
            Self::Json(values) => values.len(),
        }
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        tracing::error!("an answer could not be written: {error}");
        Self::new(ProblemKind::Internal, "the answer could not be written")
    }
}

#[cfg(test)]
mod tests;
