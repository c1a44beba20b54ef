//! Stretches of time as people count them. Where a day begins depends on a time zone, and zones are data that this crate does
//! not hold: whoever needs a calendar passes one in.

use std::ops::Range;

use crate::time::Timestamp;

/// A length of time buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum TimeUnit {
    Minute,
    Hour,
    Day,
    /// Begins on Monday.
    Week,
    Month,
}

/// Knows where time buckets begin and end in one time zone.
pub trait Calendar {
    /// The bucket of this length that holds `at`: its first instant, and the first instant after it.
    fn bucket(&self, unit: TimeUnit, at: Timestamp) -> Range<Timestamp>;
}
