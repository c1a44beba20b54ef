//! What a playback's aggregate means (DESIGN §4): the folded values, and everything that follows from
//! them. The oracle and the read model both end here, so that a ratio is defined once.

use crate::event::{EndReason, PlayState};
use crate::id::{PlaybackId, TestId, TrackId, UserId};
use crate::time::Timestamp;

/// A track counts as completed from this share of its duration on, in percent.
pub const COMPLETED_PERCENT: u64 = 95;
/// The quartiles told of a playback, in percent of the duration.
pub const QUARTILES: [u8; 4] = [25, 50, 75, 95];

/// The configurable limits of meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// From how much listening a playback is a counted stream, in ms.
    pub counted_threshold_ms: u64,
    /// After how long a silence an open playback is abandoned, in ms.
    pub settle_after_ms: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            counted_threshold_ms: 30_000,
            settle_after_ms: 30 * 60 * 1_000,
        }
    }
}

/// Attributes of a playback: each the value of the earliest event that carries it, order
/// (occurred_at, event id).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "named as the events' fields they come from")]
pub struct Dimensions {
    pub user_id: Option<UserId>,
    pub track_id: Option<TrackId>,
    pub device: Option<String>,
    pub platform: Option<String>,
    pub app_version: Option<String>,
    pub country: Option<String>,
    pub plan: Option<String>,
    pub context: Option<String>,
    pub test_id: Option<TestId>,
    pub startup_ms: Option<u64>,
}

/// How a playback ended: the latest Finished, order (occurred_at, event id).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// The folded values of one playback: integers and times only. Durations in ms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// The playback.
    pub playback_id: PlaybackId,
    /// Its attributes.
    pub dimensions: Dimensions,
    /// Earliest Started or Recorded.
    pub started_at: Option<Timestamp>,
    /// Earliest event.
    pub first_event_at: Timestamp,
    /// Latest event.
    pub last_event_at: Timestamp,
    /// Latest Finished.
    pub ending: Option<Ending>,
    /// Sum of listening time over distinct events.
    pub played_ms: u64,
    /// Length of the union of all played stretches.
    pub unique_ms: u64,
    /// Furthest media position.
    pub max_position_ms: Option<u64>,
    /// Greatest track length given.
    pub track_duration_ms: Option<u64>,
    /// Sum of pauses over distinct events.
    pub paused_ms: u64,
    /// Sum of rebuffering over distinct events.
    pub stalled_ms: u64,
    /// Distinct Paused events.
    pub pause_count: u64,
    /// Distinct Stalled events.
    pub stall_count: u64,
    /// Distinct Seeked events.
    pub seek_count: u64,
    /// Distinct Failed events.
    pub failure_count: u64,
    /// Distinct events.
    pub event_count: u64,
    /// Greatest `seq`.
    pub max_seq: Option<u32>,
    /// Distinct values of `seq`.
    pub distinct_seqs: u64,
    /// State of the latest event that speaks of it, order (occurred_at, seq, event id).
    pub state: Option<PlayState>,
    /// From ingestion to store of the last ingested event; the log does not hold it, so the oracle has none.
    pub ingest_to_store_ms: Option<i64>,
}

/// Everything that is told of one playback: the aggregate and what follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Playback {
    /// The folded values.
    pub aggregate: Aggregate,
    /// `unique_ms` ÷ `track_duration_ms`, at most 1; none without a duration.
    pub coverage: Option<f64>,
    /// Percentages of the duration reached, ascending; empty without a duration.
    pub quartiles: Vec<u8>,
    /// `stalled_ms` ÷ (`played_ms` + `stalled_ms`); none when both are 0.
    pub rebuffer_ratio: Option<f64>,
    /// Ended as completed, or at least 95 % of the duration reached.
    pub completed: bool,
    /// Listened to at least the policy's threshold.
    pub counted_stream: bool,
    /// Events of the player that never arrived; none without `seq`.
    pub lost_events: Option<u64>,
    /// The state, `abandoned` included; none when no event spoke of it yet.
    pub state: Option<&'static str>,
    /// Finished, failed fatally, or silent for the settle time.
    pub settled: bool,
}

impl Playback {
    /// What follows from `aggregate` under `policy` as of `now`.
    pub fn new(aggregate: Aggregate, policy: Policy, now: Timestamp) -> Self {
        let duration = aggregate.track_duration_ms.filter(|ms| *ms > 0);
        let reached = |percent: u64| match (duration, aggregate.max_position_ms) {
            (Some(duration), Some(position)) => {
                u128::from(position) * 100 >= u128::from(duration) * u128::from(percent)
            }
            _ => false,
        };
        let ended = matches!(
            aggregate.state,
            Some(PlayState::Finished | PlayState::Failed)
        );
        let silent = now.millis_since(aggregate.last_event_at) > policy.settle_after_ms;
        let state = if silent && !ended {
            Some("abandoned")
        } else {
            aggregate.state.map(PlayState::as_str)
        };
        let finished_whole = aggregate.ending.map(|e| e.reason) == Some(EndReason::Completed);
        Self {
            coverage: duration.map(|ms| ratio(aggregate.unique_ms, ms).min(1.0)),
            quartiles: QUARTILES
                .into_iter()
                .filter(|percent| reached(u64::from(*percent)))
                .collect(),
            rebuffer_ratio: match aggregate.played_ms + aggregate.stalled_ms {
                0 => None,
                whole => Some(ratio(aggregate.stalled_ms, whole)),
            },
            completed: finished_whole || reached(COMPLETED_PERCENT),
            counted_stream: aggregate.played_ms >= policy.counted_threshold_ms,
            lost_events: aggregate
                .max_seq
                .map(|max| u64::from(max) + 1 - aggregate.distinct_seqs),
            state,
            settled: ended || silent,
            aggregate,
        }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
