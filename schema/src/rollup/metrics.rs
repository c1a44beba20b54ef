//! The metrics of a set of playbacks, by definition. One entry of [`metrics!`] is one metric: its documentation, name, type and value.
//! Never looks at the SQL of the query-api: it is the check of it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::active_span::{ActiveSpan, peak_concurrent};
use super::quantile::quantile;
use super::ratio;
use crate::event::{EndReason, PlayState};
use crate::playback::{Aggregate, Playback};

/// Declares [`Metrics`], the names and the order of its fields, and how each is computed from a [`PlaybackSet`].
macro_rules! metrics {
    ($set:ident: $($(#[$doc:meta])+ $name:ident: $type:ty = $value:expr;)+) => {
        /// The metrics of a set of playbacks. Ratios are 0 to 1, and `None` where the denominator is 0; times are in ms.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub struct Metrics {
            $($(#[$doc])+ pub $name: $type,)+
        }

        impl Metrics {
            /// The names of all metrics, in the order of the fields.
            pub const NAMES: [&'static str; [$(stringify!($name)),+].len()] = [$(stringify!($name)),+];

            fn of_set($set: &PlaybackSet<'_>) -> Self {
                Self { $($name: $value,)+ }
            }
        }
    };
}

metrics! { set:
    /// Playbacks.
    attempts: u64 = set.count(|_| true);
    /// Playbacks with listening time.
    plays: u64 = set.count(is_play);
    /// Playbacks with at least the policy's threshold of listening time.
    streams: u64 = set.count(|p| p.counted_stream);
    /// Listening time.
    played_ms: u64 = set.sum(|p| p.played_ms);
    /// Distinct known users of the plays.
    unique_listeners: u64 = set.listeners();
    /// Plays ÷ distinct known users of the plays.
    starts_per_listener: Option<f64> = ratio(set.count(is_play), set.listeners());
    /// Average listening time of a play.
    avg_played_ms: Option<f64> = ratio(set.sum(|p| p.played_ms), set.count(is_play));
    /// Median listening time of a play, interpolated as in [`quantile`].
    median_played_ms: Option<f64> = quantile(set.plays().map(|p| p.aggregate.played_ms), 0.5);
    /// Completed plays ÷ plays.
    completion_rate: Option<f64> = ratio(set.count(|p| is_play(p) && p.completed), set.count(is_play));
    /// Playbacks that ended as skipped before they were streams ÷ attempts.
    skip_rate: Option<f64> = ratio(set.count(is_skipped), set.count(|_| true));
    /// Playbacks whose state is failed ÷ attempts.
    failure_rate: Option<f64> = ratio(set.count(is_failed), set.count(|_| true));
    /// Stalled time ÷ (listening time + stalled time).
    rebuffer_ratio: Option<f64> = ratio(set.sum(|p| p.stalled_ms), set.sum(|p| p.played_ms + p.stalled_ms));
    /// Stalled time.
    stalled_ms: u64 = set.sum(|p| p.stalled_ms);
    /// Median start-up time of the playbacks that report one.
    startup_ms_p50: Option<f64> = quantile(set.startups(), 0.5);
    /// 95th percentile of the start-up times.
    startup_ms_p95: Option<f64> = quantile(set.startups(), 0.95);
    /// Maximum number of playbacks that are active at one instant.
    peak_concurrent: u64 = peak_concurrent(set.active.iter().copied());
}

/// What metrics are computed from: the playbacks of a row, each once, and the spans in which playbacks were active.
struct PlaybackSet<'p> {
    playbacks: &'p [&'p Playback],
    active: Vec<ActiveSpan>,
}

impl<'p> PlaybackSet<'p> {
    fn count(&self, is: impl Fn(&Playback) -> bool) -> u64 {
        self.playbacks.iter().filter(|p| is(p)).count() as u64
    }

    fn sum(&self, value: impl Fn(&Aggregate) -> u64) -> u64 {
        self.playbacks.iter().map(|p| value(&p.aggregate)).sum()
    }

    fn plays(&self) -> impl Iterator<Item = &'p Playback> {
        self.playbacks.iter().copied().filter(|p| is_play(p))
    }

    fn startups(&self) -> impl Iterator<Item = u64> {
        let all = self.playbacks.iter();
        all.filter_map(|p| p.aggregate.dimensions.startup_ms)
    }

    fn listeners(&self) -> u64 {
        let users = self
            .plays()
            .filter_map(|p| p.aggregate.dimensions.user_id.as_ref());
        users.collect::<BTreeSet<_>>().len() as u64
    }
}

impl Metrics {
    /// The metrics of `playbacks`, each given once; `active` are the spans that count for `peak_concurrent`.
    pub fn of(playbacks: &[&Playback], active: impl IntoIterator<Item = ActiveSpan>) -> Self {
        let active = active.into_iter().collect();
        Self::of_set(&PlaybackSet { playbacks, active })
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
