//! Queries that enter, wait, leave and are cancelled in any order, under a seeded scheduler.

use std::{collections::VecDeque, pin::Pin};

use ess_fuzz::for_each_seed;
use futures::FutureExt as _;
use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;

use super::*;

const STEPS: u32 = 60;

type Entering<'g> = Pin<Box<dyn Future<Output = Result<QueryPermit<'g>, SelectError>> + 'g>>;

/// What the gate must do.
struct Model<'g, 'r> {
    random: &'r mut ChaCha12Rng,
    max_running: usize,
    max_waiting: usize,
    running: Vec<QueryPermit<'g>>,
    /// In the order of their arrival.
    waiting: VecDeque<Entering<'g>>,
}

impl<'g> Model<'g, '_> {
    fn enter(&mut self, gate: &'g Gate) {
        let mut entering: Entering<'g> = Box::pin(gate.enter());
        let is_full = self.running.len() == self.max_running;
        match entering.as_mut().now_or_never() {
            Some(Ok(permit)) => {
                assert!(!is_full && self.waiting.is_empty());
                self.running.push(permit);
            }
            Some(Err(error)) => {
                assert!(matches!(error, SelectError::Overloaded));
                assert!(is_full && self.waiting.len() == self.max_waiting);
            }
            None => {
                assert!(is_full && self.waiting.len() < self.max_waiting);
                self.waiting.push_back(entering);
            }
        }
    }

    fn leave(&mut self) {
        if !self.running.is_empty() {
            let at = self.random.random_range(0..self.running.len());
            drop(self.running.swap_remove(at));
            self.admit_first();
        }
    }

    fn cancel(&mut self) {
        if !self.waiting.is_empty() {
            let at = self.random.random_range(0..self.waiting.len());
            drop(self.waiting.remove(at));
        }
    }

    /// The query that waits longest gets the free permit, and no other.
    fn admit_first(&mut self) {
        for entering in self.waiting.iter_mut().skip(1) {
            assert!(entering.as_mut().now_or_never().is_none());
        }
        if let Some(mut first) = self.waiting.pop_front() {
            let permit = first.as_mut().now_or_never().unwrap();
            self.running.push(permit.unwrap());
        }
    }
}

#[test]
fn queries_past_the_bound_are_refused_at_once() {
    for_each_seed(1_000, |random| {
        let (max_running, max_waiting) = (random.random_range(1..4), random.random_range(0..4));
        let gate = Gate::new(max_running, max_waiting);
        let mut model = Model {
            random,
            max_running,
            max_waiting,
            running: Vec::new(),
            waiting: VecDeque::new(),
        };
        for _ in 0..STEPS {
            match model.random.random_range(0..10) {
                0..5 => model.enter(&gate),
                5..8 => model.leave(),
                _ => model.cancel(),
            }
        }
        while !model.running.is_empty() {
            model.leave();
        }
        assert!(model.waiting.is_empty());
    });
}
