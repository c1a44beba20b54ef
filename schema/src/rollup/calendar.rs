//! Time buckets such as days and weeks. Where a day begins depends on a time zone. This crate has no time zone data:
//! callers pass a calendar.

use std::ops::Range;

use crate::time::Timestamp;

/// The length of a time bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum TimeUnit {
    Minute,
    Hour,
    Day,
    /// Starts on Monday.
    Week,
    Month,
}

/// The time buckets of one time zone.
pub trait Calendar {
    /// The bucket of this length that contains `at`: its first instant, and the first instant after it.
    fn bucket(&self, unit: TimeUnit, at: Timestamp) -> Range<Timestamp>;
}
