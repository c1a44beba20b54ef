//! A row of `events`.

use clickhouse::Row;
use serde::Deserialize;

/// A stored event. An empty text is a missing value; times are ms since the epoch.
#[derive(Debug, Clone, PartialEq, Row, Deserialize)]
#[cfg_attr(test, derive(Default))]
pub(crate) struct StoredEvent {
    pub(crate) event_id: String,
    pub(crate) source: String,
    pub(crate) r#type: String,
    pub(crate) schemaversion: u16,
    pub(crate) playback_id: String,
    pub(crate) user_id: String,
    pub(crate) track_id: String,
    pub(crate) occurred_at: i64,
    pub(crate) ingest_time: i64,
    pub(crate) store_time: i64,
    pub(crate) test_id: String,
    pub(crate) datacontenttype: String,
    pub(crate) data: String,
    pub(crate) data_base64: String,
    pub(crate) extensions: String,
    pub(crate) partition: u16,
    pub(crate) offset: u64,
}

/// The columns of a [`StoredEvent`].
pub(super) const COLUMNS: &str = "\
SELECT event_id, source, type, schemaversion, playback_id, user_id, track_id, occurred_at, ingest_time, store_time,
    test_id, datacontenttype, data, data_base64, extensions, partition, offset
FROM events
";

impl StoredEvent {
    /// The sort key of the table.
    pub(crate) fn sort_key(&self) -> (i64, &str, &str) {
        (self.occurred_at, &self.source, &self.event_id)
    }
}
