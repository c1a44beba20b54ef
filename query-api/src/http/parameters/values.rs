//! What parameters may be: ids, names, times, cursors, positions, and two bounded numbers.

use ess_schema::{
    EventId, EventType, PlaybackId, Position, Source, TestId, Timestamp, TrackId, UserId,
    id::{MAX_ID_CHARS, MAX_SOURCE_CHARS, MAX_TYPE_CHARS},
};
use poem_openapi::registry::MetaSchema;

use super::Parameter;
use crate::question::{Cursor, InvalidCursor, Refusal};

/// A position: a partition below 65,536 and an offset.
const POSITION: &str =
    "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4}):[0-9]{1,19}";
/// The most positions that one request may wait for.
const MOST_POSITIONS: usize = 100;

macro_rules! opaque_text {
    ($($type:ty: $max:expr, $example:literal;)*) => {$(
        impl Parameter for $type {
            fn schema() -> MetaSchema {
                MetaSchema {
                    min_length: Some(1),
                    max_length: Some($max),
                    pattern: Some(r"^[^\s\x00-\x1f\x7f-\x9f]+$".to_owned()),
                    example: Some($example.into()),
                    ..MetaSchema::new("string")
                }
            }

            fn read(text: &str) -> Result<Self, Refusal> {
                Self::new(text).map_err(|error| Refusal {
                    detail: error.detail.into_owned(),
                    allowed: error.allowed.to_owned(),
                })
            }
        }
    )*};
}

opaque_text! {
    EventId: MAX_ID_CHARS, "0199a4b2-6c1d-7e3f-8a90-1b2c3d4e5f60";
    PlaybackId: MAX_ID_CHARS, "playback-42";
    UserId: MAX_ID_CHARS, "user-7";
    TrackId: MAX_ID_CHARS, "track-3";
    TestId: MAX_ID_CHARS, "load-2026-11-23";
    Source: MAX_SOURCE_CHARS, "ess/command-api";
}

impl Parameter for EventType {
    fn schema() -> MetaSchema {
        MetaSchema {
            max_length: Some(MAX_TYPE_CHARS),
            pattern: Some("^[A-Za-z][A-Za-z0-9._-]*$".to_owned()),
            example: Some("PlaybackStarted".into()),
            ..MetaSchema::new("string")
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        Self::new(text).map_err(|error| Refusal {
            detail: error.detail.into_owned(),
            allowed: error.allowed.to_owned(),
        })
    }
}

impl Parameter for Timestamp {
    fn schema() -> MetaSchema {
        MetaSchema {
            example: Some("2026-11-23T10:00:00Z".into()),
            ..MetaSchema::new_with_format("string", "date-time")
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        // In a query a bare + means a space, and few remember to encode the one of a zone.
        Self::parse_rfc3339(&text.replace(' ', "+")).map_err(|error| Refusal {
            detail: error.to_string(),
            allowed: Self::ALLOWED.to_owned(),
        })
    }
}

impl Parameter for Cursor {
    fn schema() -> MetaSchema {
        MetaSchema {
            min_length: Some(1),
            pattern: Some("^[A-Za-z0-9_-]+$".to_owned()),
            ..MetaSchema::new("string")
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        text.parse().map_err(|error: InvalidCursor| Refusal {
            detail: error.to_string(),
            allowed: InvalidCursor::ALLOWED.to_owned(),
        })
    }
}

/// Positions that the answer must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct After(pub(crate) Vec<Position>);

impl Parameter for After {
    fn schema() -> MetaSchema {
        MetaSchema {
            pattern: Some(format!("^{POSITION}(,{POSITION}){{0,99}}$")),
            example: Some("7:1234".into()),
            ..MetaSchema::new("string")
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        let allowed = format!(
            "partition:offset as in Ess-Position, for example 7:1234; at most {MOST_POSITIONS}, separated by commas"
        );
        let positions: Result<Vec<Position>, _> = text.split(',').map(str::parse).collect();
        match positions {
            Ok(positions) if positions.len() <= MOST_POSITIONS => Ok(Self(positions)),
            Ok(positions) => Err(Refusal {
                detail: format!("has {} positions", positions.len()),
                allowed,
            }),
            Err(_) => Err(Refusal {
                detail: "is not a list of log positions".to_owned(),
                allowed,
            }),
        }
    }
}

macro_rules! bounded_number {
    ($($(#[$doc:meta])* $name:ident = $least:literal to $most:literal, default $default:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) struct $name(pub(crate) u16);

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl Parameter for $name {
            fn schema() -> MetaSchema {
                MetaSchema {
                    minimum: Some(f64::from($least)),
                    maximum: Some(f64::from($most)),
                    default: Some($default.into()),
                    ..MetaSchema::new_with_format("integer", "int32")
                }
            }

            fn read(text: &str) -> Result<Self, Refusal> {
                let refusal = |detail: String| Refusal {
                    detail,
                    allowed: concat!("an integer from ", $least, " to ", $most).to_owned(),
                };
                let number: i64 = text.parse().map_err(|_| refusal("is not an integer".to_owned()))?;
                u16::try_from(number)
                    .ok()
                    .filter(|number| ($least..=$most).contains(number))
                    .map(Self)
                    .ok_or_else(|| refusal(format!("is {number}")))
            }
        }
    )*};
}

bounded_number! {
    /// The most events on a page; the default is the predecessor's.
    Limit = 1 to 1000, default 10;
    /// The most rows on a page of a report.
    ReportLimit = 1 to 10000, default 100;
    /// How many of the newest events to pass over; a cursor has no such bound.
    Offset = 0 to 10000, default 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_bounded() {
        assert_eq!(Limit::read("1000"), Ok(Limit(1_000)));
        assert_eq!(Offset::read("0"), Ok(Offset(0)));
        for bad in [
            "0",
            "1001",
            "-1",
            "1.5",
            "",
            "abc",
            "99999999999999999999",
            "65537",
        ] {
            let refusal = Limit::read(bad).unwrap_err();
            assert_eq!(refusal.allowed, "an integer from 1 to 1000", "{bad}");
        }
        assert!(Offset::read("10001").is_err());
    }

    #[test]
    fn positions_are_a_list() {
        let read = |text| After::read(text).map(|After(positions)| positions.len());
        assert_eq!(read("7:1234"), Ok(1));
        assert_eq!(read("7:1234,0:0"), Ok(2));
        let (most, too_many) = (["1:2"; 100].join(","), ["1:2"; 101].join(","));
        assert_eq!(read(&most), Ok(100));
        assert!(read(&too_many).is_err());
        for bad in ["", "7", "7:1234,", "7:-1", "a:b"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_zone_may_be_written_with_a_bare_plus() {
        let noon = Timestamp::parse_rfc3339("2026-11-23T12:00:00Z").ok();
        for text in [
            "2026-11-23T15:00:00+03:00",
            "2026-11-23T15:00:00 03:00",
            "2026-11-23T12:00:00Z",
        ] {
            assert_eq!(Parameter::read(text).ok(), noon, "{text}");
        }
        assert!(<Timestamp as Parameter>::read("yesterday").is_err());
    }
}
