//! What many playbacks amount to, by definition (docs/SCHEMA.md): the oracle for every roll-up, so it favours plainness over
//! speed. Built from the values of playbacks, never from events, retention aside, which needs to know what was played when.

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

/// A span of time, open where a bound is missing: `from` belongs to it, `to` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period {
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

impl Period {
    /// Whether this instant lies in it.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }

    /// Whether a playback belongs to it, as it belongs to the instant of its first event.
    pub fn contains_playback(&self, playback: &Playback) -> bool {
        self.contains(playback.aggregate.first_event_at)
    }
}

/// `part` of `whole`; none of nothing.
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
