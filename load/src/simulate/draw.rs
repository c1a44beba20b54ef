//! Random numbers from the distributions that playbacks need. Has no state: the caller passes the generator.

use std::ops::RangeInclusive;

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use rand_distr::{Exp1, StandardNormal};

/// One of a list of values, with a probability proportional to its weight. At least one weight is above 0.
pub(super) fn weighted<T: Copy, const N: usize>(rng: &mut impl Rng, list: [(T, u32); N]) -> T {
    const { assert!(N > 0) };
    let drawn = list.choose_weighted(rng, |(_, weight)| *weight);
    drawn.map_or(list[0].0, |(value, _)| *value)
}

/// A log-normal number, clamped to `bounds`: like waiting times, many are short and few very long.
pub(super) fn log_normal(
    rng: &mut impl Rng,
    median: f64,
    sigma: f64,
    bounds: RangeInclusive<u64>,
) -> u64 {
    let normal: f64 = rng.sample(StandardNormal);
    let drawn = median * (sigma * normal).exp();
    (drawn as u64).clamp(*bounds.start(), *bounds.end())
}

/// An exponential number of at least 1: the distance between events that are equally likely at any time.
pub(super) fn exponential(rng: &mut impl Rng, mean: f64) -> u64 {
    let drawn: f64 = rng.sample(Exp1);
    (drawn * mean).ceil().max(1.0) as u64
}
