//! A table as JSON: one object a row, its members in the order of the columns.

use serde::{Serialize, Serializer};

use super::{Table, WriteError};

/// One array of objects.
pub(super) fn array(table: &Table) -> Result<Vec<u8>, WriteError> {
    let mut text = Vec::new();
    serde_json::Serializer::new(&mut text).collect_seq(table.rows())?;
    Ok(on_one_line(text))
}

/// One object a line.
pub(super) fn lines(table: &Table) -> Result<Vec<u8>, WriteError> {
    table.rows().try_fold(Vec::new(), |mut lines, row| {
        lines.append(&mut on_one_line(serde_json::to_vec(&row)?));
        lines.push(b'\n');
        Ok(lines)
    })
}

struct Row<'t> {
    table: &'t Table,
    at: usize,
}

impl Table {
    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.rows).map(|at| Row { table: self, at })
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = self.table.columns.iter();
        serializer.collect_map(columns.map(|column| (&column.name, column.values.cell(self.at))))
    }
}

/// JSON without line breaks. Strings escape them, so that all line breaks are white space of embedded JSON.
fn on_one_line(mut text: Vec<u8>) -> Vec<u8> {
    for byte in &mut text {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    text
}
