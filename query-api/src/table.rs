//! A table of typed columns, written as JSON, NDJSON, CSV or Parquet. It does not know what the columns mean. Equal tables are equal
//! bytes, because entity tags are hashes of the bytes.

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
    /// Its name.
    pub(crate) name: String,
    /// One value a row.
    pub(crate) values: Values,
}

/// The values of a column; `None` is null.
#[derive(Debug)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "no list that is a table has a flag")
)]
pub(crate) enum Values {
    /// Text.
    Text(Vec<Option<String>>),
    /// Integers.
    Integer(Vec<Option<i64>>),
    /// Other numbers. Those that are not finite are written as null, because JSON cannot write them.
    Number(Vec<Option<f64>>),
    /// Booleans.
    Flag(Vec<Option<bool>>),
    /// Times.
    Time(Vec<Option<Timestamp>>),
    /// Any JSON, embedded unchanged.
    Json(Vec<Option<Box<RawValue>>>),
}

/// Columns of equal length.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: usize,
}

/// A table cannot be written: a defect of this service.
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
    /// A table of columns of equal length. If one is shorter, which is a defect, the rows that it lacks are dropped.
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        let mut lengths = columns.iter().map(|column| column.values.len());
        let rows = lengths.clone().min().unwrap_or_default();
        debug_assert!(
            lengths.all(|length| length == rows),
            "columns differ in length"
        );
        Self { columns, rows }
    }

    /// Writes the table.
    ///
    /// # Errors
    /// [`WriteError`], which is never the caller's fault.
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
        tracing::error!("cannot write an answer: {error}");
        Self::new(ProblemKind::Internal, "the answer could not be written")
    }
}

#[cfg(test)]
mod tests;
