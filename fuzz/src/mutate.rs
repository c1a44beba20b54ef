//! Mutates one input, with parts of others.

use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;

/// Maximum number of changes to one input.
const MAX_CHANGES: usize = 8;
/// Bytes with a meaning in most text formats, and bytes at the limits of their range.
const BYTES: &[u8] = b"\0\t\n\r \"%+,-./0159:;<=>?@[\\]{}\x7f\x80\xc0\xff";

pub(crate) struct Mutator<'m> {
    random: &'m mut ChaCha12Rng,
    inputs: &'m [Vec<u8>],
    words: &'m [Vec<u8>],
}

impl<'m> Mutator<'m> {
    pub(crate) fn new(
        random: &'m mut ChaCha12Rng,
        inputs: &'m [Vec<u8>],
        words: &'m [Vec<u8>],
    ) -> Self {
        Self {
            random,
            inputs,
            words,
        }
    }

    /// A random input with a few changes.
    pub(crate) fn mutate(&mut self) -> Vec<u8> {
        let mut input = one_of(self.random, self.inputs)
            .cloned()
            .unwrap_or_default();
        for _ in 0..self.random.random_range(1..=MAX_CHANGES) {
            self.change(&mut input);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let (from, to) = self.range(input);
        match self.random.random_range(0..7) {
            0 => drop(input.drain(from..to)),
            1 => {
                let again = input[from..to].to_vec();
                drop(input.splice(from..from, again));
            }
            2 => {
                let byte = one_of(self.random, BYTES).copied();
                drop(input.splice(from..from, byte));
            }
            3 if !input.is_empty() => {
                let index = from.min(input.len() - 1);
                input[index] = self.random.random();
            }
            4 if !input.is_empty() => {
                let index = from.min(input.len() - 1);
                input[index] ^= 1 << self.random.random_range(0..8);
            }
            5 => {
                let word = one_of(self.random, self.words).cloned();
                drop(input.splice(from..to, word.unwrap_or_default()));
            }
            _ => {
                let other = one_of(self.random, self.inputs)
                    .cloned()
                    .unwrap_or_default();
                let (other_from, other_to) = self.range(&other);
                drop(input.splice(from..to, other[other_from..other_to].iter().copied()));
            }
        }
    }

    /// A range of an input, mostly a short one.
    fn range(&mut self, input: &[u8]) -> (usize, usize) {
        let from = self.random.random_range(0..=input.len());
        let rest = input.len() - from;
        let max = if self.random.random_ratio(1, 8) {
            rest
        } else {
            rest.min(16)
        };
        (from, from + self.random.random_range(0..=max))
    }
}

fn one_of<'a, T>(random: &mut ChaCha12Rng, items: &'a [T]) -> Option<&'a T> {
    if items.is_empty() {
        return None;
    }
    items.get(random.random_range(0..items.len()))
}
