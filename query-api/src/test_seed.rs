//! Seeds for unit tests with random schedules. A failing test prints its seed; `ESS_TEST_SEED` repeats that run alone.

use std::{env, ops::Range, thread};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;

const ESS_TEST_SEED: &str = "ESS_TEST_SEED";
/// The number of schedules in one test run.
const RUNS: u64 = 1_000;

/// Runs a test once per seed, each time with another source of randomness.
pub(crate) fn for_each_seed(test: impl Fn(&mut ChaCha12Rng)) {
    for seed in seeds() {
        let _seed = PrintOnPanic(seed);
        test(&mut ChaCha12Rng::seed_from_u64(seed));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests take settings from the environment"
)]
fn seeds() -> Range<u64> {
    if let Ok(seed) = env::var(ESS_TEST_SEED) {
        let seed = seed.parse().unwrap();
        return seed..seed + 1;
    }
    let first = u64::from(rand::rng().random::<u32>());
    first..first + RUNS
}

struct PrintOnPanic(u64);

impl Drop for PrintOnPanic {
    #[expect(
        clippy::print_stdout,
        reason = "the test harness shows it with the failure"
    )]
    fn drop(&mut self) {
        if thread::panicking() {
            println!("{ESS_TEST_SEED}={}", self.0);
        }
    }
}
