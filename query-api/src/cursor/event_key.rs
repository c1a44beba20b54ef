//! The sort key of events, as a cursor holds it.

use ess_schema::{EventId, Source, Timestamp};

use super::Keyset;

/// What `events` is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct EventKey {
    pub(crate) occurred_at: Timestamp,
    pub(crate) source: Source,
    pub(crate) event_id: EventId,
}

/// Ms since the epoch (8 bytes, big-endian), the source, a NUL, the event id.
impl Keyset for EventKey {
    const LIST: &'static str = "events";

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.occurred_at.as_millis().to_be_bytes());
        bytes.extend(self.source.as_str().as_bytes());
        bytes.push(0);
        bytes.extend(self.event_id.as_str().as_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (time, rest) = bytes.split_first_chunk()?;
        let (source, event_id) = std::str::from_utf8(rest).ok()?.split_once('\0')?;
        Some(Self {
            occurred_at: Timestamp::from_millis(i64::from_be_bytes(*time)).ok()?,
            source: Source::new(source).ok()?,
            event_id: EventId::new(event_id).ok()?,
        })
    }
}
