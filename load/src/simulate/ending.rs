//! What becomes of a playback. The shares are made up, but of the size that streaming services report: about a quarter of
//! all plays are skipped within half a minute, about half are heard to the end.

use rand::{Rng, RngExt};

use super::draw;

/// Below this a skip counts as an early one, in ms (DESIGN §4).
const EARLY_MS: u64 = 30_000;
/// Of the skips, how many are early.
const EARLY_SHARE: f64 = 0.75;

/// How a playback goes on until it ends. Whoever reaches the end of the track has completed it, whatever was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Completes,
    Skips,
    Stops,
    /// No further fact arrives: the phone lost its network, the app was killed.
    GoesSilent,
    /// Something fails that ends the playback.
    Fails,
    /// Told as a whole when it is over, in one fact.
    ToldAfterwards,
}

impl Fate {
    pub(super) fn draw(rng: &mut impl Rng) -> Self {
        let fates = [
            (Self::Completes, 48),
            (Self::Skips, 32),
            (Self::Stops, 9),
            (Self::GoesSilent, 6),
            (Self::Fails, 2),
            (Self::ToldAfterwards, 3),
        ];
        draw::weighted(rng, fates)
    }

    /// After how much listening it ends, in ms, unless the track of `duration_ms` (longer than an early skip) ends before.
    pub(super) fn patience_ms(self, rng: &mut impl Rng, duration_ms: u64) -> u64 {
        match self {
            Self::Completes | Self::ToldAfterwards => u64::MAX,
            Self::Skips if rng.random_bool(EARLY_SHARE) => rng.random_range(500..EARLY_MS),
            Self::Skips => rng.random_range(EARLY_MS..duration_ms),
            Self::Stops | Self::GoesSilent | Self::Fails => rng.random_range(1_000..duration_ms),
        }
    }
}
