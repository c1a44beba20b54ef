//! Where a page of events ended, as callers carry it: opaque and versioned. It holds the last row's sort key, so it stays
//! right while events arrive.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ess_schema::{EventId, Source, Timestamp};

/// The sort key of the last event of a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Cursor {
    pub(crate) occurred_at: Timestamp,
    pub(crate) source: Source,
    pub(crate) event_id: EventId,
}

/// The text is no cursor that this service gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a cursor of this service, or of a version it no longer reads")]
pub(crate) struct InvalidCursor;

/// The version is the first byte; then ms since the epoch (8 bytes, big-endian), the source, a NUL, the event id.
const VERSION: u8 = 1;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![VERSION];
        bytes.extend(self.occurred_at.as_millis().to_be_bytes());
        bytes.extend(self.source.as_str().as_bytes());
        bytes.push(0);
        bytes.extend(self.event_id.as_str().as_bytes());
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl std::str::FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| InvalidCursor)?;
        read(&bytes).ok_or(InvalidCursor)
    }
}

fn read(bytes: &[u8]) -> Option<Cursor> {
    let rest = bytes.strip_prefix(&[VERSION])?;
    let (time, rest) = rest.split_first_chunk()?;
    let (source, event_id) = std::str::from_utf8(rest).ok()?.split_once('\0')?;
    Some(Cursor {
        occurred_at: Timestamp::from_millis(i64::from_be_bytes(*time)).ok()?,
        source: Source::new(source).ok()?,
        event_id: EventId::new(event_id).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_form() {
        let cursor = Cursor {
            occurred_at: Timestamp::parse_rfc3339("2026-11-23T10:00:00.123Z").unwrap(),
            source: Source::new("https://player.example/ios?a=1&b").unwrap(),
            event_id: EventId::new("событие-1").unwrap(),
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn anything_else_is_refused() {
        let other_version = BASE64_URL_SAFE_NO_PAD.encode(b"\x02\0\0\0\0\0\0\0\0s\0e");
        let no_id = BASE64_URL_SAFE_NO_PAD.encode(b"\x01\0\0\0\0\0\0\0\0s\0");
        let no_time = BASE64_URL_SAFE_NO_PAD.encode(b"\x01\0\0");
        for bad in ["", "?", "AQ", "e30", &other_version, &no_id, &no_time] {
            assert_eq!(bad.parse::<Cursor>(), Err(InvalidCursor), "{bad}");
        }
    }
}
