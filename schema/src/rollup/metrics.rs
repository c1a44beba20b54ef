//! The metrics of a set of playbacks.

use std::collections::BTreeSet;

use serde::Serialize;

use super::active_span::{ActiveSpan, peak_concurrent};
use super::quantile::quantile;
use super::share;
use crate::event::{EndReason, PlayState};
use crate::id::UserId;
use crate::playback::Playback;

/// What a set of playbacks amounts to. Shares are 0 to 1, and none where there is nothing to take them of; times in ms.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// Playbacks.
    pub attempts: u64,
    /// Those that were listened to at all.
    pub plays: u64,
    /// Those that were listened to for the policy's threshold.
    pub streams: u64,
    /// Listening time.
    pub played_ms: u64,
    /// Distinct users of the plays, as far as users are known.
    pub unique_listeners: u64,
    /// Listening time of a play on average.
    pub avg_played_ms: Option<f64>,
    /// Listening time of the median play, as [`quantile`] has it.
    pub median_played_ms: Option<f64>,
    /// Of the plays, those that were completed.
    pub completion_rate: Option<f64>,
    /// Of the attempts, those that ended as skipped before they were streams.
    pub skip_rate: Option<f64>,
    /// Of the attempts, those that a fatal failure ended.
    pub failure_rate: Option<f64>,
    /// Stalled time of the time that was meant to be listened to.
    pub rebuffer_ratio: Option<f64>,
    /// Stalled time.
    pub stalled_ms: u64,
    /// Median start-up time of those that told one.
    pub startup_ms_p50: Option<f64>,
    /// The same for the slowest twentieth.
    pub startup_ms_p95: Option<f64>,
    /// The most playbacks at one instant.
    pub peak_concurrent: u64,
}

impl Metrics {
    /// The metrics of these playbacks, each given once, while those that were there were there.
    pub fn of(playbacks: &[&Playback], present: impl IntoIterator<Item = ActiveSpan>) -> Self {
        let count = |is: fn(&Playback) -> bool| playbacks.iter().filter(|p| is(p)).count() as u64;
        let attempts = playbacks.len() as u64;
        let plays: Vec<&Playback> = playbacks.iter().copied().filter(|p| is_play(p)).collect();
        let played_ms = playbacks.iter().map(|p| p.aggregate.played_ms).sum();
        let stalled_ms: u64 = playbacks.iter().map(|p| p.aggregate.stalled_ms).sum();
        let startups = || {
            let each = playbacks.iter();
            each.filter_map(|p| p.aggregate.dimensions.startup_ms)
        };
        let listeners: BTreeSet<&UserId> = plays
            .iter()
            .filter_map(|p| p.aggregate.dimensions.user_id.as_ref())
            .collect();
        Self {
            attempts,
            plays: plays.len() as u64,
            streams: count(|p| p.counted_stream),
            played_ms,
            unique_listeners: listeners.len() as u64,
            avg_played_ms: share(played_ms, plays.len() as u64),
            median_played_ms: quantile(plays.iter().map(|p| p.aggregate.played_ms), 0.5),
            completion_rate: share(count(|p| is_play(p) && p.completed), plays.len() as u64),
            skip_rate: share(count(is_skipped), attempts),
            failure_rate: share(count(is_failed), attempts),
            rebuffer_ratio: share(stalled_ms, played_ms + stalled_ms),
            stalled_ms,
            startup_ms_p50: quantile(startups(), 0.5),
            startup_ms_p95: quantile(startups(), 0.95),
            peak_concurrent: peak_concurrent(present),
        }
    }
}

pub(super) fn is_play(playback: &Playback) -> bool {
    playback.aggregate.played_ms > 0
}

fn is_skipped(playback: &Playback) -> bool {
    let reason = playback.aggregate.ending.map(|ending| ending.reason);
    reason == Some(EndReason::Skipped) && !playback.counted_stream
}

fn is_failed(playback: &Playback) -> bool {
    playback.aggregate.state == Some(PlayState::Failed)
}
