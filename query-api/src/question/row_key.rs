//! The sort values of the last row of a report's page.

use serde::{Deserialize, Serialize};

use crate::question::cursor::Keyset;

/// One value that a row is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum KeyValue {
    /// Null. Such rows come last.
    Unknown,
    /// A count, or a time in ms.
    Integer(i64),
    /// A number by its bits, so that no text rounds it.
    Number(u64),
    /// A text.
    Text(String),
}

/// The sort values of the last row of a page, in the order of the sort keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RowKey(pub(crate) Vec<KeyValue>);

impl Keyset for RowKey {
    const LIST: &'static str = "report";

    fn write(&self, bytes: &mut Vec<u8>) {
        // Numbers and texts always have a JSON form, and writing to memory does not fail.
        bytes.extend(serde_json::to_vec(&self.0).unwrap_or_default());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_unchanged() {
        let key = RowKey(vec![
            KeyValue::Number(0.1_f64.to_bits()),
            KeyValue::Text("я'\\\0".to_owned()),
            KeyValue::Integer(-1),
            KeyValue::Unknown,
        ]);
        let mut bytes = Vec::new();
        key.write(&mut bytes);
        assert_eq!(RowKey::read(&bytes), Some(key));
        assert_eq!(RowKey::read(b"[1]"), None);
    }
}
