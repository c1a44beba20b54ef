//! Queries whose columns depend on the question. They are answered column by column, each of a kind that is known beforehand.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{InvalidRow, Sql};

/// A query that is answered with columns.
pub(crate) trait SelectColumns: Sync {
    /// Its name in metrics and in ClickHouse's query log.
    const NAME: &'static str;

    /// The kinds of the columns that `to_sql` selects, in its order.
    fn kinds(&self) -> Vec<Kind>;

    /// The statement.
    fn to_sql(&self) -> Sql;
}

/// The kind of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text; the empty text is null.
    Text,
    /// An integer.
    Integer,
    /// A number.
    Number,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cells {
    Text(Vec<Option<String>>),
    Integer(Vec<Option<i64>>),
    Number(Vec<Option<f64>>),
}

/// ClickHouse's output format: `[[…],[…]]`.
pub(crate) const FORMAT: &str = "JSONCompactColumns";

impl Cells {
    /// The number of values.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Integer(cells) => cells.len(),
            Self::Number(cells) => cells.len(),
        }
    }

    /// Drops the values past `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        match self {
            Self::Text(cells) => cells.truncate(len),
            Self::Integer(cells) => cells.truncate(len),
            Self::Number(cells) => cells.truncate(len),
        }
    }
}

/// Reads columns of these kinds.
///
/// # Errors
/// When the answer has other columns.
pub(crate) fn read(kinds: &[Kind], answer: &[u8]) -> Result<Vec<Cells>, InvalidRow> {
    let columns: Vec<&RawValue> = serde_json::from_slice(answer)?;
    if columns.is_empty() {
        return kinds.iter().map(|kind| cells(*kind, None)).collect();
    }
    kinds
        .iter()
        .zip(columns)
        .map(|(kind, column)| cells(*kind, Some(column)))
        .collect()
}

fn cells(kind: Kind, column: Option<&RawValue>) -> Result<Cells, InvalidRow> {
    fn values<T: DeserializeOwned>(column: Option<&RawValue>) -> Result<Vec<T>, InvalidRow> {
        let values = column.map(|column| serde_json::from_str(column.get()));
        Ok(values.transpose()?.unwrap_or_default())
    }
    Ok(match kind {
        Kind::Text => {
            let known = |text: Option<String>| text.filter(|text| !text.is_empty());
            Cells::Text(values(column)?.into_iter().map(known).collect())
        }
        Kind::Integer => Cells::Integer(values(column)?),
        Kind::Number => Cells::Number(values(column)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_by_their_kinds() {
        let kinds = [Kind::Text, Kind::Integer, Kind::Number];
        let answer = br#"[["a",""],[1,null],[0.5,null]]"#;
        let expected = vec![
            Cells::Text(vec![Some("a".to_owned()), None]),
            Cells::Integer(vec![Some(1), None]),
            Cells::Number(vec![Some(0.5), None]),
        ];
        assert_eq!(read(&kinds, answer).unwrap(), expected);
        let none = read(&kinds, b"[[],[],[]]").unwrap();
        assert_eq!((none[0].len(), read(&kinds, b"[]").unwrap()), (0, none));
        assert!(read(&kinds, br#"[["a"],["x"],[1]]"#).is_err());
    }
}
