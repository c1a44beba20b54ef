//! A fuzzer for the stable compiler: mutates known inputs at random, by bytes and by words, and passes them to a check that must
//! not panic. Accepted inputs are mutated further. An input that causes a panic is saved in `fuzz/corpus/`, and every run starts
//! with the saved inputs. It has no coverage feedback: `cargo fuzz` finds more, but needs a nightly compiler.
//!
//! `ESS_FUZZ_SECONDS` (1) is the time for each target, `ESS_FUZZ_SEED` the seed of the random generator. Every run prints its seed.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "it runs in tests only, which read the environment, print, and fail by a panic"
)]

mod mutate;
mod schedules;

pub use schedules::for_each_seed;

use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha12Rng;
use sha2::{Digest as _, Sha256};

use mutate::Mutator;

/// Maximum number of inputs to mutate.
const MAX_INPUTS: usize = 4_096;
/// Maximum length of an input, in bytes: longer ones cost time and find nothing more.
const MAX_INPUT_BYTES: usize = 16 * 1024;

/// A fuzz target: its name, seed inputs, and words to insert into inputs.
#[derive(Debug)]
pub struct Target {
    corpus: PathBuf,
    name: &'static str,
    inputs: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

impl Target {
    /// A target with the seeds `inputs` and the inputs saved under its name in `fuzz/corpus/`.
    pub fn new(name: &'static str, inputs: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        Self::with_corpus(&corpus, name, inputs)
    }

    fn with_corpus(
        corpus: &Path,
        name: &'static str,
        inputs: impl IntoIterator<Item = Vec<u8>>,
    ) -> Self {
        Self {
            corpus: corpus.join(name),
            name,
            inputs: inputs.into_iter().collect(),
            words: Vec::new(),
        }
    }

    /// Adds words that mutations insert into inputs.
    #[must_use]
    pub fn words<'w>(mut self, words: impl IntoIterator<Item = &'w str>) -> Self {
        let words = words.into_iter().map(|word| word.as_bytes().to_vec());
        self.words.extend(words);
        self
    }

    /// Passes inputs to `check` for the configured time. `check` returns whether it accepts the input.
    ///
    /// # Panics
    /// If `check` panics, after saving the input. If `check` accepts no input, because then the run proves nothing.
    pub fn run(self, check: impl Fn(&[u8]) -> bool) {
        let seconds = env::var("ESS_FUZZ_SECONDS").ok();
        let seconds = seconds.map_or(1, |text| text.parse().unwrap());
        let seed = env::var("ESS_FUZZ_SEED").ok();
        let seed = seed.map_or_else(|| rand::rng().random(), |text| text.parse().unwrap());
        self.run_for(Duration::from_secs(seconds), seed, check);
    }

    fn run_for(mut self, duration: Duration, seed: u64, check: impl Fn(&[u8]) -> bool) {
        let end = Instant::now() + duration;
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let (mut ran, mut accepted) = (0_u64, 0_u64);
        let known: Vec<_> = self.inputs.iter().cloned().chain(self.saved()).collect();
        for input in &known {
            accepted += u64::from(self.check(input, seed, &check));
        }
        self.inputs = known;
        while Instant::now() < end {
            let mut input = Mutator::new(&mut random, &self.inputs, &self.words).mutate();
            input.truncate(MAX_INPUT_BYTES);
            ran += 1;
            if self.check(&input, seed, &check) {
                accepted += 1;
                self.add_input(input, &mut random);
            }
        }
        println!(
            "fuzz {}: {ran} inputs, {accepted} accepted, ESS_FUZZ_SEED={seed}",
            self.name
        );
        assert_ne!(accepted, 0, "{} accepted nothing", self.name);
    }

    fn add_input(&mut self, input: Vec<u8>, random: &mut ChaCha12Rng) {
        if self.inputs.len() < MAX_INPUTS {
            self.inputs.push(input);
        } else {
            let index = random.random_range(0..MAX_INPUTS);
            self.inputs[index] = input;
        }
    }

    fn check(&self, input: &[u8], seed: u64, check: impl Fn(&[u8]) -> bool) -> bool {
        match catch_unwind(AssertUnwindSafe(|| check(input))) {
            Ok(accepted) => accepted,
            Err(panic) => {
                let file = self.save(input);
                println!(
                    "fuzz {}: ESS_FUZZ_SEED={seed}, input saved as {}",
                    self.name,
                    file.display()
                );
                resume_unwind(panic)
            }
        }
    }

    /// The saved inputs, of earlier runs or added by hand.
    fn saved(&self) -> Vec<Vec<u8>> {
        let Ok(files) = fs::read_dir(&self.corpus) else {
            return Vec::new();
        };
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort_unstable();
        files.iter().map(|file| fs::read(file).unwrap()).collect()
    }

    fn save(&self, input: &[u8]) -> PathBuf {
        let hash = Sha256::digest(input);
        let (name, _) = hash.split_first_chunk().unwrap();
        let file = self
            .corpus
            .join(format!("{:016x}", u64::from_be_bytes(*name)));
        fs::create_dir_all(&self.corpus).unwrap();
        fs::write(&file, input).unwrap();
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(folder: &Path) -> Target {
        let inputs = [b"{\"a\":1}".to_vec()];
        Target::with_corpus(folder, "tested", inputs).words(["null"])
    }

    #[test]
    fn an_input_that_causes_a_panic_is_saved_and_tried_first_in_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let check = |input: &[u8]| {
            assert!(!input.windows(4).any(|w| w == b"null"), "null");
            true
        };
        let found =
            catch_unwind(|| target(folder.path()).run_for(Duration::from_mins(1), 1, check));
        assert!(found.is_err());
        let saved = target(folder.path()).saved();
        assert_eq!(saved.len(), 1);
        assert!(saved[0].windows(4).any(|w| w == b"null"));
        let again = catch_unwind(|| target(folder.path()).run_for(Duration::ZERO, 1, check));
        assert!(again.is_err());
    }

    #[test]
    #[should_panic(expected = "tested accepted nothing")]
    fn a_check_that_accepts_nothing_fails() {
        let folder = tempfile::tempdir().unwrap();
        target(folder.path()).run_for(Duration::from_millis(1), 1, |_| false);
    }
}
