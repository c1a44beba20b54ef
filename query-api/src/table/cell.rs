//! One value of a table of any kind, for formats that are written row by row.

use ess_schema::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::Values;

/// A value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'t> {
    None,
    Text(&'t str),
    Integer(i64),
    Number(f64),
    Flag(bool),
    Time(Timestamp),
    Json(&'t RawValue),
}

impl Values {
    /// The value of a row.
    pub(super) fn cell(&self, row: usize) -> Cell<'_> {
        let cell = match self {
            Self::Text(values) => values[row].as_deref().map(Cell::Text),
            Self::Integer(values) => values[row].map(Cell::Integer),
            Self::Number(values) => values[row]
                .filter(|number| number.is_finite())
                .map(Cell::Number),
            Self::Flag(values) => values[row].map(Cell::Flag),
            Self::Time(values) => values[row].map(Cell::Time),
            Self::Json(values) => values[row].as_deref().map(Cell::Json),
        };
        cell.unwrap_or(Cell::None)
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Time(time) => time.serialize(serializer),
            Self::Json(json) => json.serialize(serializer),
        }
    }
}
