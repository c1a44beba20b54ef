//! Instants as ESS keeps them: UTC milliseconds. Reads RFC 3339 and the looser forms of the predecessor.
//! Never reads a clock: whoever needs "now" passes it in.

use std::borrow::Cow;
use std::fmt;

use ::time::format_description::BorrowedFormatItem;
use ::time::format_description::well_known::Rfc3339;
use ::time::macros::format_description;
use ::time::{Date, OffsetDateTime, PrimitiveDateTime};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::violation::Violation;

/// How far `time` may lie after the moment of ingestion (DESIGN §3), in ms.
pub const MAX_AHEAD_MS: i64 = 5 * 60 * 1_000;
/// How far `time` may lie before the moment of ingestion (DESIGN §3), in ms.
pub const MAX_BEHIND_MS: i64 = 400 * 24 * 60 * 60 * 1_000;

/// Milliseconds since 1970-01-01T00:00:00Z; never negative, never past 2261 (ClickHouse's `DateTime64`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text or number is no instant that ESS can keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTime(pub Cow<'static, str>);

const LATEST_MS: i64 = 9_214_646_400_000; // 2262-01-01T00:00:00Z
const MILLIS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const NAIVE: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]-[month]-[day][first [T][t][ ]][hour]:[minute][optional [:[second][optional [[first [.][,]][subsecond]]]]]"
);
const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

impl Timestamp {
    /// 1970-01-01T00:00:00Z, the earliest that can be kept.
    pub const EPOCH: Self = Self(0);

    /// What a time may be, in words.
    pub const ALLOWED: &'static str =
        "an RFC 3339 time from 1970 to 2261, for example 2026-11-23T10:00:00.123Z";

    /// From milliseconds since the epoch.
    ///
    /// # Errors
    /// [`InvalidTime`] outside 1970–2261.
    pub fn from_millis(millis: i64) -> Result<Self, InvalidTime> {
        if (0..LATEST_MS).contains(&millis) {
            Ok(Self(millis))
        } else {
            Err(InvalidTime("lies outside the years 1970 to 2261".into()))
        }
    }

    /// Milliseconds since the epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// This instant moved by `millis`, held inside the range that can be kept.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis).clamp(0, LATEST_MS - 1))
    }

    /// Milliseconds from `earlier` to this instant; negative when `earlier` is later.
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Reads RFC 3339; finer digits than milliseconds are cut off.
    ///
    /// # Errors
    /// [`InvalidTime`] when it is not RFC 3339 or outside 1970–2261.
    pub fn parse_rfc3339(text: &str) -> Result<Self, InvalidTime> {
        let at = OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|e| InvalidTime(format!("is not an RFC 3339 time ({e})").into()))?;
        Self::from_offset(at)
    }

    /// Reads what the predecessor accepted: ISO 8601 with or without zone (none means UTC), `T` or a
    /// space, a date alone, or Unix seconds or milliseconds in digits.
    ///
    /// # Errors
    /// [`InvalidTime`] when it is none of these.
    pub fn parse_lenient(text: &str) -> Result<Self, InvalidTime> {
        if let Ok(number) = text.parse::<f64>() {
            return Self::from_unix(number);
        }
        if let Ok(at) = OffsetDateTime::parse(&text.replacen(' ', "T", 1), &Rfc3339) {
            return Self::from_offset(at);
        }
        if let Ok(at) = PrimitiveDateTime::parse(text, NAIVE) {
            return Self::from_offset(at.assume_utc());
        }
        match Date::parse(text, DATE) {
            Ok(day) => Self::from_offset(day.midnight().assume_utc()),
            Err(_) => Err(InvalidTime(
                "is neither ISO 8601 nor Unix seconds or milliseconds".into(),
            )),
        }
    }

    /// Unix seconds, or milliseconds when the number is too large for seconds (beyond 2·10¹⁰, the
    /// watershed pydantic uses and so the predecessor's clients rely on).
    ///
    /// # Errors
    /// [`InvalidTime`] for negative, not finite or far too large numbers.
    pub fn from_unix(number: f64) -> Result<Self, InvalidTime> {
        if !number.is_finite() {
            return Err(InvalidTime("is not a finite number".into()));
        }
        let millis = if number.abs() > 2e10 {
            number
        } else {
            number * 1_000.0
        };
        Self::from_millis(millis.round() as i64)
    }

    /// Checks that this time of occurrence lies within five minutes after and 400 days before `ingest`:
    /// a wild clock must not create partitions.
    ///
    /// # Errors
    /// A [`Violation`] at `pointer`.
    pub fn within_window_of(self, ingest: Self, pointer: &str) -> Result<(), Violation> {
        let ahead = self.millis_since(ingest);
        if (-MAX_BEHIND_MS..=MAX_AHEAD_MS).contains(&ahead) {
            return Ok(());
        }
        let side = if ahead > 0 { "after" } else { "before" };
        Err(Violation::new(
            pointer,
            format!(
                "is {self}, {} s {side} ESS received it",
                ahead.abs() / 1_000
            ),
            "at most 5 minutes after and 400 days before the time of receipt",
        ))
    }

    fn from_offset(at: OffsetDateTime) -> Result<Self, InvalidTime> {
        let millis = at.unix_timestamp() * 1_000 + i64::from(at.millisecond());
        Self::from_millis(millis)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, milliseconds, `Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.0) * 1_000_000;
        let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|_| fmt::Error)?;
        f.write_str(&at.format(MILLIS).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn rfc_3339_keeps_milliseconds_and_turns_to_utc() {
        assert_eq!(
            at("2026-11-23T13:00:00.123987+03:00").to_string(),
            "2026-11-23T10:00:00.123Z"
        );
    }

    #[test]
    fn the_predecessors_forms_all_mean_the_same_instant() {
        let noon = at("2025-06-01T12:00:00Z");
        for text in [
            "2025-06-01T12:00:00Z",
            "2025-06-01T15:00:00+03:00",
            "2025-06-01T12:00:00",
            "2025-06-01 12:00:00",
            "2025-06-01 12:00:00.000",
            "2025-06-01T12:00",
            "1748779200",
            "1748779200000",
        ] {
            assert_eq!(Timestamp::parse_lenient(text), Ok(noon), "{text}");
        }
        assert_eq!(
            Timestamp::parse_lenient("2025-06-01"),
            Ok(at("2025-06-01T00:00:00Z"))
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in ["", "bad", "true", "12:00", "NaN", "-1", "2025-13-01"] {
            assert!(Timestamp::parse_lenient(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wild_clock_is_refused_on_both_sides() {
        let now = at("2026-11-23T10:00:00Z");
        assert!(
            now.plus_millis(MAX_AHEAD_MS)
                .within_window_of(now, "/time")
                .is_ok()
        );
        assert!(
            now.plus_millis(-MAX_BEHIND_MS)
                .within_window_of(now, "/time")
                .is_ok()
        );
        for wild in [MAX_AHEAD_MS + 1, -MAX_BEHIND_MS - 1] {
            let violation = now
                .plus_millis(wild)
                .within_window_of(now, "/time")
                .unwrap_err();
            assert_eq!(violation.pointer, "/time");
        }
    }
}
