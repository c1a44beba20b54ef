//! A table as CSV (RFC 4180): a header line, then one line a row, each ended by CRLF. Null is an empty field. Values are written
//! unchanged. Some spreadsheets take a text that begins with `=` for a formula; a prefix would change the text for every other program,
//! so users of spreadsheets must import such columns as text.

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};
use serde_json::Number;

use super::{Cell, Table, WriteError};

/// The table with its header line.
pub(super) fn write(table: &Table) -> Result<Vec<u8>, WriteError> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(table.columns.iter().map(|column| &column.name))?;
    for row in 0..table.rows {
        let fields = table
            .columns
            .iter()
            .map(|column| column.values.cell(row).field());
        writer.write_record(fields.map(Field))?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()).into())
}

struct Field<'t>(Cow<'t, str>);

impl AsRef<[u8]> for Field<'_> {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl<'t> Cell<'t> {
    fn field(self) -> Cow<'t, str> {
        match self {
            Self::None => "".into(),
            Self::Text(text) => text.into(),
            Self::Integer(number) => number.to_string().into(),
            // As JSON writes it.
            Self::Number(number) => Number::from_f64(number)
                .map(|number| number.to_string())
                .unwrap_or_default()
                .into(),
            Self::Flag(flag) => flag.to_string().into(),
            Self::Time(time) => time.to_string().into(),
            Self::Json(json) => json.get().into(),
        }
    }
}
