//! How playbacks end. The shares are invented, but of the size that streaming services report: about a quarter of all plays are
//! skipped within half a minute, about half are heard to the end.

use rand::{Rng, RngExt};

use super::draw;

/// A skip before this is an early skip, in ms (DESIGN §4).
const EARLY_MS: u64 = 30_000;
/// The share of skips that are early.
const EARLY_SHARE: f64 = 0.75;

/// How a playback is to end. A playback that reaches the end of its track is completed in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlaybackEnd {
    Completes,
    Skips,
    Stops,
    /// No further fact arrives: the phone lost its network, or the app was killed.
    GoesSilent,
    /// A fatal failure ends it.
    Fails,
    /// It is reported in one fact when it is over.
    RecordedAfterwards,
}

impl PlaybackEnd {
    pub(super) fn draw(rng: &mut impl Rng) -> Self {
        let ends = [
            (Self::Completes, 48),
            (Self::Skips, 32),
            (Self::Stops, 9),
            (Self::GoesSilent, 6),
            (Self::Fails, 2),
            (Self::RecordedAfterwards, 3),
        ];
        draw::weighted(rng, ends)
    }

    /// After how much listening it ends, in ms, unless the track ends before. `duration_ms` is longer than an early skip.
    pub(super) fn listening_limit_ms(self, rng: &mut impl Rng, duration_ms: u64) -> u64 {
        match self {
            Self::Completes | Self::RecordedAfterwards => u64::MAX,
            Self::Skips if rng.random_bool(EARLY_SHARE) => rng.random_range(500..EARLY_MS),
            Self::Skips => rng.random_range(EARLY_MS..duration_ms),
            Self::Stops | Self::GoesSilent | Self::Fails => rng.random_range(1_000..duration_ms),
        }
    }
}
