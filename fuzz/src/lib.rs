//! Fuzzing on a stable compiler: known inputs are changed at random, byte by byte and word by word, and handed to a check that
//! must not panic. What the check accepts is changed further. An input that makes it panic is kept in `fuzz/corpus/`, and every
//! run begins with what is kept there. There is no coverage to steer by: `cargo fuzz` finds more, where there is a nightly compiler.
//!
//! `ESS_FUZZ_SECONDS` (1) is how long each target runs, `ESS_FUZZ_SEED` what all chance comes from; both are printed.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "it runs in tests only: they are told by the environment, talk to the terminal, and fail by a panic"
)]

mod mutate;

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

/// The most inputs that are changed further.
const MOST_INPUTS: usize = 4_096;
/// Longer inputs are not changed further: they only cost time.
const LONGEST: usize = 16 * 1024;

/// What is fuzzed: a name, inputs to begin with, and words that inputs are made of.
#[derive(Debug)]
pub struct Target {
    corpus: PathBuf,
    name: &'static str,
    inputs: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

impl Target {
    /// A target that begins with `inputs`, and with what is kept under its name in `fuzz/corpus/`.
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

    /// Words that are put into inputs as a whole.
    #[must_use]
    pub fn words<'w>(mut self, words: impl IntoIterator<Item = &'w str>) -> Self {
        let words = words.into_iter().map(|word| word.as_bytes().to_vec());
        self.words.extend(words);
        self
    }

    /// Hands inputs to `check` for as long as the environment says; it tells whether it accepted one.
    ///
    /// # Panics
    /// As `check` did, the input being kept; and if it accepted nothing at all, because then it was never really asked.
    pub fn run(self, check: impl Fn(&[u8]) -> bool) {
        let seconds = env::var("ESS_FUZZ_SECONDS").ok();
        let seconds = seconds.map_or(1, |text| text.parse().unwrap());
        let seed = env::var("ESS_FUZZ_SEED").ok();
        let seed = seed.map_or_else(|| rand::rng().random(), |text| text.parse().unwrap());
        self.run_for(Duration::from_secs(seconds), seed, check);
    }

    fn run_for(mut self, lasting: Duration, seed: u64, check: impl Fn(&[u8]) -> bool) {
        let end = Instant::now() + lasting;
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let (mut ran, mut accepted) = (0_u64, 0_u64);
        let known: Vec<_> = self.inputs.iter().cloned().chain(self.kept()).collect();
        for input in &known {
            accepted += u64::from(self.check(input, seed, &check));
        }
        self.inputs = known;
        while Instant::now() < end {
            let mut input = Mutator::new(&mut random, &self.inputs, &self.words).mutant();
            input.truncate(LONGEST);
            ran += 1;
            if self.check(&input, seed, &check) {
                accepted += 1;
                self.keep_going_from(input, &mut random);
            }
        }
        println!(
            "fuzz {}: {ran} inputs, {accepted} accepted, ESS_FUZZ_SEED={seed}",
            self.name
        );
        assert_ne!(accepted, 0, "{} accepted nothing", self.name);
    }

    fn keep_going_from(&mut self, input: Vec<u8>, random: &mut ChaCha12Rng) {
        if self.inputs.len() < MOST_INPUTS {
            self.inputs.push(input);
        } else {
            let place = random.random_range(0..MOST_INPUTS);
            self.inputs[place] = input;
        }
    }

    fn check(&self, input: &[u8], seed: u64, check: impl Fn(&[u8]) -> bool) -> bool {
        match catch_unwind(AssertUnwindSafe(|| check(input))) {
            Ok(accepted) => accepted,
            Err(panic) => {
                let file = self.keep(input);
                println!(
                    "fuzz {}: ESS_FUZZ_SEED={seed}, input kept as {}",
                    self.name,
                    file.display()
                );
                resume_unwind(panic)
            }
        }
    }

    /// Inputs that were kept: of earlier runs, or put there by hand.
    fn kept(&self) -> Vec<Vec<u8>> {
        let Ok(files) = fs::read_dir(&self.corpus) else {
            return Vec::new();
        };
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort_unstable();
        files.iter().map(|file| fs::read(file).unwrap()).collect()
    }

    fn keep(&self, input: &[u8]) -> PathBuf {
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
    fn what_makes_a_check_panic_is_found_kept_and_tried_first_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let check = |input: &[u8]| {
            assert!(!input.windows(4).any(|w| w == b"null"), "null");
            true
        };
        let found =
            catch_unwind(|| target(folder.path()).run_for(Duration::from_mins(1), 1, check));
        assert!(found.is_err());
        let kept = target(folder.path()).kept();
        assert_eq!(kept.len(), 1);
        assert!(kept[0].windows(4).any(|w| w == b"null"));
        let again = catch_unwind(|| target(folder.path()).run_for(Duration::ZERO, 1, check));
        assert!(again.is_err());
    }

    #[test]
    #[should_panic(expected = "tested accepted nothing")]
    fn a_check_that_accepts_nothing_is_none() {
        let folder = tempfile::tempdir().unwrap();
        target(folder.path()).run_for(Duration::from_millis(1), 1, |_| false);
    }
}
