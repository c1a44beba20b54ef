//! Instants in UTC milliseconds, parsed from RFC 3339 and from the forms that the predecessor accepted.
//! Never reads a clock: callers pass the current time.

use std::borrow::Cow;
use std::fmt;

use ::time::format_description::BorrowedFormatItem;
use ::time::format_description::well_known::Rfc3339;
use ::time::macros::format_description;
use ::time::{Date, OffsetDateTime, PrimitiveDateTime};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::violation::Violation;

/// Maximum time from ingestion to a later `time` (DESIGN §3), in ms.
pub const MAX_AHEAD_MS: i64 = 5 * 60 * 1_000;
/// Maximum time from an earlier `time` to ingestion (DESIGN §3), in ms.
pub const MAX_BEHIND_MS: i64 = 400 * 24 * 60 * 60 * 1_000;

/// Milliseconds since 1970-01-01T00:00:00Z, from 1970 to 2261 (the range of ClickHouse's `DateTime64`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text or number is not a [`Timestamp`].
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
    /// 1970-01-01T00:00:00Z, the earliest timestamp.
    pub const EPOCH: Self = Self(0);

    /// The rule for times, as in messages.
    pub const ALLOWED: &'static str =
        "an RFC 3339 time from 1970 to 2261, for example 2026-11-23T10:00:00.123Z";

    /// Converts milliseconds since the epoch.
    ///
    /// # Errors
    /// [`InvalidTime`] outside 1970–2261.
    pub fn from_millis(millis: i64) -> Result<Self, InvalidTime> {
        if (0..LATEST_MS).contains(&millis) {
            Ok(Self(millis))
        } else {
            Err(InvalidTime("is outside the years 1970 to 2261".into()))
        }
    }

    /// Milliseconds since the epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// This instant plus `millis`, clamped to the valid range.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis).clamp(0, LATEST_MS - 1))
    }

    /// Milliseconds from `earlier` to this instant; negative when `earlier` is later.
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Parses RFC 3339. Truncates to milliseconds.
    ///
    /// # Errors
    /// [`InvalidTime`] if it is not RFC 3339 or outside 1970–2261.
    pub fn parse_rfc3339(text: &str) -> Result<Self, InvalidTime> {
        let at = OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|e| InvalidTime(format!("is not an RFC 3339 time ({e})").into()))?;
        Self::from_offset(at)
    }

    /// Parses the forms that the predecessor accepted: ISO 8601 with or without a zone (UTC by default), with `T` or a space, a date
    /// alone, or Unix seconds or milliseconds in digits.
    ///
    /// # Errors
    /// [`InvalidTime`] for other forms.
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

    /// Converts Unix seconds, or milliseconds if the number is above 2·10¹⁰, the threshold that pydantic and so the predecessor used.
    ///
    /// # Errors
    /// [`InvalidTime`] for negative or infinite numbers and outside 1970–2261.
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

    /// Checks that this time of occurrence is at most five minutes after and 400 days before `ingest`: a wrong clock must not create
    /// ClickHouse partitions.
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
    fn rfc_3339_is_truncated_to_milliseconds_and_converted_to_utc() {
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
    fn other_texts_are_rejected() {
        for bad in ["", "bad", "true", "12:00", "NaN", "-1", "2025-13-01"] {
            assert!(Timestamp::parse_lenient(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_outside_the_window_is_rejected_on_both_sides() {
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
