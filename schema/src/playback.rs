//! The aggregate of a playback (DESIGN §4) and the values derived from it.
//! The oracle and the read model both use this code, so that a ratio is defined once.

use crate::event::{EndReason, PlayState};
use crate::id::{PlaybackId, TestId, TrackId, UserId};
use crate::time::Timestamp;

/// The share of its duration from which on a playback is completed, in percent.
pub const COMPLETED_PERCENT: u64 = 95;
/// The quartiles of a playback, in percent of the duration.
pub const QUARTILES: [u8; 4] = [25, 50, 75, 95];

/// The configurable thresholds of derived values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The listening time from which on a playback is a counted stream, in ms.
    pub counted_threshold_ms: u64,
    /// The time without events after which an open playback is abandoned, in ms.
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

/// Attributes of a playback: each is the value of the earliest event that carries it, in the order
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

/// The end of a playback: the latest Finished event, in the order (occurred_at, event id).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// When it ended.
    pub at: Timestamp,
    /// Why it ended.
    pub reason: EndReason,
}

/// The folded values of one playback: integers and times only. Durations are in ms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// The playback.
    pub playback_id: PlaybackId,
    /// The attributes.
    pub dimensions: Dimensions,
    /// Time of the earliest Started or Recorded event.
    pub started_at: Option<Timestamp>,
    /// Time of the earliest event.
    pub first_event_at: Timestamp,
    /// Time of the latest event.
    pub last_event_at: Timestamp,
    /// The latest Finished event.
    pub ending: Option<Ending>,
    /// Sum of listening time over distinct events.
    pub played_ms: u64,
    /// Length of the union of all played stretches.
    pub unique_ms: u64,
    /// Furthest media position.
    pub max_position_ms: Option<u64>,
    /// Greatest reported track duration.
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
    /// The state after the latest event with a state, in the order (occurred_at, seq, event id).
    pub state: Option<PlayState>,
    /// Time from ingestion to storing of the last ingested event. Kafka does not hold it, so the oracle has none.
    pub ingest_to_store_ms: Option<i64>,
}

/// One playback as it is served: the aggregate and the values derived from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Playback {
    /// The folded values.
    pub aggregate: Aggregate,
    /// `unique_ms` ÷ `track_duration_ms`, at most 1; `None` without a duration.
    pub coverage: Option<f64>,
    /// Percentages of the duration reached, ascending; empty without a duration.
    pub quartiles: Vec<u8>,
    /// `stalled_ms` ÷ (`played_ms` + `stalled_ms`); `None` if both are 0.
    pub rebuffer_ratio: Option<f64>,
    /// Ended as completed, or reached at least 95 % of the duration.
    pub completed: bool,
    /// Listening time is at least the policy's threshold.
    pub counted_stream: bool,
    /// Events of the player that did not arrive; `None` without `seq`.
    pub lost_events: Option<u64>,
    /// The state, including `abandoned`; `None` without an event that has a state.
    pub state: Option<&'static str>,
    /// Finished, failed fatally, or silent for the settle time.
    pub settled: bool,
}

impl Playback {
    /// The values derived from `aggregate` under `policy` at `now`.
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
        let ended_as_completed = aggregate.ending.map(|e| e.reason) == Some(EndReason::Completed);
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
            completed: ended_as_completed || reached(COMPLETED_PERCENT),
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
