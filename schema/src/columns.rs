//! Rows of `events` stored column by column in ClickHouse's Native format (<https://clickhouse.com/docs/interfaces/formats/Native>):
//! each value is encoded once, and any range of rows is a few slices. Never sends anything.

use std::borrow::Cow;
use std::ops::Range;

use crate::event::Event;
use crate::position::Position;
use crate::row::{COLUMNS, ColumnValue, EventRow};

/// Rows of `events`, in the order they were pushed.
#[derive(Debug, Default)]
pub struct EventColumns {
    columns: Vec<Column>,
    positions: Vec<Position>,
    bytes: usize,
}

#[derive(Debug)]
struct Column {
    name: &'static str,
    type_name: &'static str,
    /// The null map, one byte a row, 1 for NULL; empty if the type is not nullable.
    nulls: Vec<u8>,
    data: Vec<u8>,
    ends: Ends,
}

/// Where the values of a column end.
#[derive(Debug)]
enum Ends {
    /// Each value has this many bytes.
    Every(usize),
    /// The end of each text, by row.
    At(Vec<u32>),
}

impl EventColumns {
    /// Removes all rows. The allocated capacity remains.
    pub fn clear(&mut self) {
        self.columns.iter_mut().for_each(Column::clear);
        self.positions.clear();
        self.bytes = 0;
    }

    /// Appends the row of `event`, whose record is at `position`.
    pub fn push(&mut self, event: &Event, position: Position) {
        let row = EventRow::new(event, position);
        let values = row.values();
        if self.columns.is_empty() {
            let named = COLUMNS.into_iter().zip(values);
            self.columns = named.map(|(name, v)| Column::new(name, v)).collect();
        }
        for (column, value) in self.columns.iter_mut().zip(values) {
            self.bytes += column.push(value);
        }
        self.positions.push(position);
        self.bytes += size_of::<Position>();
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Bytes of all rows.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Allocated bytes, spare capacity included.
    pub fn allocated_bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Column::allocated_bytes).sum();
        columns + self.positions.capacity() * size_of::<Position>()
    }

    /// The position of the record of a row.
    ///
    /// # Panics
    /// If `row` is out of bounds.
    pub fn position(&self, row: usize) -> Position {
        self.positions[row]
    }

    /// These rows as one Native block, in chunks to be sent in order; nothing for an empty range.
    ///
    /// # Panics
    /// If `rows` is out of bounds.
    pub fn native_block(&self, rows: Range<usize>) -> impl Iterator<Item = Cow<'_, [u8]>> {
        let columns: &[Column] = if rows.is_empty() { &[] } else { &self.columns };
        let mut head = Vec::new();
        if !columns.is_empty() {
            push_varint(&mut head, columns.len() as u64);
            push_varint(&mut head, rows.len() as u64);
        }
        let columns = columns
            .iter()
            .flat_map(move |c| c.native_block(rows.clone()));
        std::iter::once(head.into()).chain(columns)
    }
}

impl Column {
    fn new(name: &'static str, value: ColumnValue<'_>) -> Self {
        let ends = match value {
            ColumnValue::Text(_) => Ends::At(Vec::new()),
            ColumnValue::U16(_) => Ends::Every(2),
            ColumnValue::OptionalU32(_) => Ends::Every(4),
            ColumnValue::U64(_) | ColumnValue::OptionalU64(_) | ColumnValue::Time(_) => {
                Ends::Every(8)
            }
            ColumnValue::Bool(_) => Ends::Every(1),
        };
        Self {
            name,
            type_name: value.type_name(),
            nulls: Vec::new(),
            data: Vec::new(),
            ends,
        }
    }

    fn clear(&mut self) {
        self.nulls.clear();
        self.data.clear();
        if let Ends::At(ends) = &mut self.ends {
            ends.clear();
        }
    }

    /// Appends a value of the column's type; returns its bytes.
    fn push(&mut self, value: ColumnValue<'_>) -> usize {
        let before = self.data.len() + self.nulls.len();
        match value {
            ColumnValue::Text(text) => {
                push_varint(&mut self.data, text.len() as u64);
                self.data.extend_from_slice(text.as_bytes());
            }
            ColumnValue::U16(value) => self.data.extend_from_slice(&value.to_le_bytes()),
            ColumnValue::U64(value) => self.data.extend_from_slice(&value.to_le_bytes()),
            ColumnValue::Time(value) => self.data.extend_from_slice(&value.to_le_bytes()),
            ColumnValue::Bool(value) => self.data.push(u8::from(value)),
            ColumnValue::OptionalU32(value) => {
                self.nulls.push(u8::from(value.is_none()));
                let value = value.unwrap_or_default();
                self.data.extend_from_slice(&value.to_le_bytes());
            }
            ColumnValue::OptionalU64(value) => {
                self.nulls.push(u8::from(value.is_none()));
                let value = value.unwrap_or_default();
                self.data.extend_from_slice(&value.to_le_bytes());
            }
        }
        let taken = self.data.len() + self.nulls.len() - before;
        match &mut self.ends {
            Ends::Every(_) => taken,
            Ends::At(ends) => {
                // A batch is bounded far below 4 GiB.
                ends.push(self.data.len() as u32);
                taken + size_of::<u32>()
            }
        }
    }

    fn allocated_bytes(&self) -> usize {
        let ends = match &self.ends {
            Ends::Every(_) => 0,
            Ends::At(ends) => ends.capacity() * size_of::<u32>(),
        };
        self.nulls.capacity() + self.data.capacity() + ends
    }

    fn native_block(&self, rows: Range<usize>) -> [Cow<'_, [u8]>; 3] {
        let end = |row: usize| match &self.ends {
            Ends::Every(width) => row * width,
            Ends::At(ends) => row.checked_sub(1).map_or(0, |last| ends[last] as usize),
        };
        let data = &self.data[end(rows.start)..end(rows.end)];
        let nulls = self.nulls.get(rows).unwrap_or_default();
        let mut head = Vec::with_capacity(self.name.len() + self.type_name.len() + 2);
        for text in [self.name, self.type_name] {
            push_varint(&mut head, text.len() as u64);
            head.extend_from_slice(text.as_bytes());
        }
        [head.into(), nulls.into(), data.into()]
    }
}

/// Unsigned LEB128.
fn push_varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(values: &[ColumnValue<'_>], rows: Range<usize>) -> Vec<u8> {
        let mut column = Column::new("c", values[0]);
        for value in values {
            column.push(*value);
        }
        column.native_block(rows).concat()
    }

    #[test]
    fn a_varint_has_seven_bits_a_byte_the_lowest_first() {
        let mut bytes = Vec::new();
        for value in [0, 127, 128, 300] {
            push_varint(&mut bytes, value);
        }
        assert_eq!(bytes, [0, 127, 0x80, 1, 0xAC, 2]);
    }

    #[test]
    fn texts_follow_their_lengths_and_any_range_can_be_cut_out() {
        let texts = [
            ColumnValue::Text("a"),
            ColumnValue::Text(""),
            ColumnValue::Text("bcd"),
        ];
        assert_eq!(written(&texts, 0..3), b"\x01c\x06String\x01a\x00\x03bcd");
        assert_eq!(written(&texts, 1..3), b"\x01c\x06String\x00\x03bcd");
        assert_eq!(written(&texts, 0..1), b"\x01c\x06String\x01a");
    }

    #[test]
    fn nullable_values_follow_their_null_map() {
        let values = [
            ColumnValue::OptionalU32(Some(7)),
            ColumnValue::OptionalU32(None),
            ColumnValue::OptionalU32(Some(258)),
        ];
        assert_eq!(
            written(&values, 1..3),
            b"\x01c\x10Nullable(UInt32)\x01\x00\x00\x00\x00\x00\x02\x01\x00\x00"
        );
    }
}
