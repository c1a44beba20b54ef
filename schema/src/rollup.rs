//! Statistics of many playbacks, by definition (docs/SCHEMA.md): the oracle of every roll-up, so it favours plainness over speed.
//! Computed from the values of playbacks, never from events, except for retention, which needs the played stretches.

mod active_span;
mod calendar;
mod dimension;
mod metrics;
mod quantile;
mod report;
mod retention;

pub use active_span::{ActiveSpan, peak_concurrent};
pub use calendar::{Calendar, TimeUnit};
pub use dimension::Dimension;
pub use metrics::Metrics;
pub use quantile::quantile;
pub use report::{ReportRow, report};
pub use retention::{
    BUCKET_MS, MAX_RETENTION_MS, PlayedStretch, Retention, RetentionBucket, played_stretches,
    retention,
};

use crate::playback::Playback;
use crate::time::Timestamp;

/// A span of time [from, to), unbounded where a bound is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period {
    /// The first instant.
    pub from: Option<Timestamp>,
    /// The first instant after the period.
    pub to: Option<Timestamp>,
}

impl Period {
    /// Whether this instant lies in the period.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }

    /// Whether the first event of a playback lies in the period.
    pub fn contains_playback(&self, playback: &Playback) -> bool {
        self.contains(playback.aggregate.first_event_at)
    }
}

/// `part` ÷ `whole`; `None` if `whole` is 0.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
