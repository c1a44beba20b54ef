//! Seeds for tests with random schedules. A failing test prints its seed; `ESS_TEST_SEED` repeats that schedule alone.

use std::{env, thread};

use rand::SeedableRng as _;
use rand_chacha::ChaCha12Rng;

const ESS_TEST_SEED: &str = "ESS_TEST_SEED";

/// Runs a test `count` times, each time with another seed; returns the number of runs, which is 1 with `ESS_TEST_SEED`.
///
/// # Panics
/// When the test does, or `ESS_TEST_SEED` is not an integer.
pub fn for_each_seed(count: u64, mut test: impl FnMut(&mut ChaCha12Rng)) -> u64 {
    let given = env::var(ESS_TEST_SEED).ok();
    let given: Option<u64> = given.map(|seed| seed.parse().unwrap());
    let (first, count) = match given {
        Some(seed) => (seed, 1),
        None => (u64::from(rand::random::<u32>()), count),
    };
    for seed in first..first + count {
        let _seed = PrintOnPanic(seed);
        test(&mut ChaCha12Rng::seed_from_u64(seed));
    }
    count
}

struct PrintOnPanic(u64);

impl Drop for PrintOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("{ESS_TEST_SEED}={}", self.0);
        }
    }
}
