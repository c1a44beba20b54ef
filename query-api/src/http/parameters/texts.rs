//! Parameters that are texts: ids, names, times, countries, time zones, cursors and log positions.

use ess_schema::{
    EventId, EventType, PlaybackId, Position, Source, TestId, Timestamp, TrackId, UserId,
    id::{MAX_ID_CHARS, MAX_SOURCE_CHARS, MAX_TYPE_CHARS},
};
use poem_openapi::registry::MetaSchema;

use super::{Parameter, excerpt};
use crate::question::{Country, Cursor, InvalidCursor, Refusal};

/// A position: a partition below 65,536 and an offset.
const POSITION: &str =
    "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4}):[0-9]{1,19}";
/// The maximum number of positions for which one request may wait.
const MAX_POSITIONS: usize = 100;

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
        // In a query a bare + means a space, and few callers encode the + of a time zone.
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

/// Log positions that the answer must include.
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
            "at most {MAX_POSITIONS} log positions partition:offset as in Ess-Position, for example 7:1234, separated by commas"
        );
        let positions: Result<Vec<Position>, _> = text.split(',').map(str::parse).collect();
        match positions {
            Ok(positions) if positions.len() <= MAX_POSITIONS => Ok(Self(positions)),
            Ok(positions) => Err(Refusal {
                detail: format!("{} positions", positions.len()),
                allowed,
            }),
            Err(_) => Err(Refusal {
                detail: format!("{:?} is not a list of log positions", excerpt(text)),
                allowed,
            }),
        }
    }
}

impl Parameter for Country {
    fn schema() -> MetaSchema {
        MetaSchema {
            pattern: Some("^[A-Za-z]{2}$".to_owned()),
            example: Some("DE".into()),
            ..MetaSchema::new("string")
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        Self::read(text)
    }
}

/// The maximum length of a time zone's name.
const MAX_ZONE_CHARS: usize = 64;

/// The canonical name of an IANA time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone(pub(crate) String);

impl Default for Zone {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

impl Parameter for Zone {
    fn schema() -> MetaSchema {
        MetaSchema {
            pattern: Some("^[A-Za-z][A-Za-z0-9_+/-]*$".to_owned()),
            max_length: Some(MAX_ZONE_CHARS),
            default: Some("UTC".into()),
            example: Some("Europe/Berlin".into()),
            ..MetaSchema::new("string")
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        let found = jiff::tz::TimeZone::get(text).ok();
        found
            .as_ref()
            .and_then(jiff::tz::TimeZone::iana_name)
            .map(|name| Self(name.to_owned()))
            .ok_or_else(|| Refusal {
                detail: format!("unknown time zone {:?}", excerpt(text)),
                allowed: "an IANA time zone, such as Europe/Berlin".to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_a_list() {
        let read = |text| After::read(text).map(|After(positions)| positions.len());
        assert_eq!(read("7:1234"), Ok(1));
        assert_eq!(read("7:1234,0:0"), Ok(2));
        let (max, too_many) = (["1:2"; 100].join(","), ["1:2"; 101].join(","));
        assert_eq!(read(&max), Ok(100));
        assert!(read(&too_many).is_err());
        for bad in ["", "7", "7:1234,", "7:-1", "a:b"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_plus_of_a_time_zone_need_not_be_encoded() {
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

    #[test]
    fn a_time_zone_has_an_iana_name() {
        assert_eq!(
            Zone::read("europe/berlin").unwrap().0,
            "Europe/Berlin",
            "ClickHouse accepts only the canonical spelling"
        );
        for bad in ["Mars/Olympus", "", "UTC'; --", "+02:00", "../etc/passwd"] {
            assert!(Zone::read(bad).is_err(), "{bad}");
        }
    }
}
