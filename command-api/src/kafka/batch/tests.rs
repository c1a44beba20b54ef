//! The countdown of a batch, with delivery reports in any order, missing, or late.

use std::{
    pin::Pin,
    task::{Context, Waker},
};

use ess_schema::Position;
use futures::{
    FutureExt,
    task::{ArcWake, waker},
};
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;
use rdkafka::error::RDKafkaErrorCode;

use super::*;
use crate::test_seed::for_each_seed;

const UNKNOWN: Outcome = Err(AppendError::Unknown);

const fn at(offset: u64) -> Position {
    Position {
        partition: 0,
        offset,
    }
}

#[test]
fn a_batch_is_completed_only_with_its_last_record() {
    let (batch, mut records) = Batch::new(2);
    let (first, second) = (records.next().unwrap(), records.next().unwrap());
    second.complete(Ok(at(8)));
    assert_eq!(batch.completed().now_or_never(), None);
    first.complete(Ok(at(7)));
    assert_eq!(batch.completed().now_or_never(), Some(()));
    assert_eq!(batch.outcomes(), [Ok(at(7)), Ok(at(8))]);
}

#[test]
fn the_last_report_wakes_the_waiter() {
    let (batch, mut records) = Batch::new(1);
    let mut waiter = Box::pin(batch.completed());
    assert_eq!((&mut waiter).now_or_never(), None);
    records.next().unwrap().complete(Ok(at(7)));
    assert_eq!(waiter.now_or_never(), Some(()));
}

#[test]
fn an_unreported_record_is_unknown_never_lost() {
    let (batch, mut records) = Batch::new(2);
    records.next().unwrap().complete(Ok(at(7)));
    assert_eq!(batch.outcomes(), [Ok(at(7)), UNKNOWN]);
    drop(records.next());
    assert_eq!(batch.completed().now_or_never(), Some(()));
    assert_eq!(batch.outcomes(), [Ok(at(7)), UNKNOWN]);
}

#[test]
fn an_empty_batch_is_completed() {
    let (batch, records) = Batch::new(0);
    assert_eq!(records.count(), 0);
    assert_eq!(batch.completed().now_or_never(), Some(()));
}

#[test]
fn in_any_schedule_outcomes_are_exact_and_the_waiter_wakes_once_at_the_end() {
    for_each_seed(|random| Schedule::new(random).run(random));
}

/// What librdkafka does with a record.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// It reports this outcome.
    Reported(Outcome),
    /// It drops the record without a report.
    Dropped,
    /// It keeps the record.
    Held,
}

impl Fate {
    fn random(index: usize, random: &mut ChaCha12Rng) -> Self {
        match random.random_range(0..10) {
            0 => Self::Held,
            1 => Self::Dropped,
            2 => Self::Reported(UNKNOWN),
            3 => Self::Reported(Err(AppendError::Undelivered(
                RDKafkaErrorCode::MessageTimedOut,
            ))),
            _ => Self::Reported(Ok(at(index as u64))),
        }
    }
}

/// One batch, its records in the order of their delivery reports, and what the outcomes must be.
struct Schedule {
    batch: Arc<Batch>,
    records: Vec<(usize, Fate, Box<PendingRecord>)>,
    expected: Vec<Outcome>,
    pending: usize,
}

impl Schedule {
    fn new(random: &mut ChaCha12Rng) -> Self {
        let count = random.random_range(0..8);
        let (batch, records) = Batch::new(count);
        let mut records: Vec<_> = records
            .enumerate()
            .map(|(index, record)| (index, Fate::random(index, random), record))
            .collect();
        records.shuffle(random);
        Self {
            batch,
            records,
            expected: vec![UNKNOWN; count],
            pending: count,
        }
    }

    /// Interleaves delivery reports with polls of the waiter, which may be dropped at any time, as by a timeout.
    fn run(mut self, random: &mut ChaCha12Rng) {
        let batch = Arc::clone(&self.batch);
        let counter = Arc::new(CountWakes::default());
        let waker = waker(Arc::clone(&counter));
        let mut waiter = Some(Box::pin(batch.completed()));
        let mut registered = false;
        let mut held = Vec::new();
        loop {
            match random.random_range(0..8) {
                0..4 => match self.records.pop() {
                    Some(record) => held.extend(self.report(record)),
                    None => break,
                },
                4..7 => {
                    let Some(future) = waiter.as_mut() else {
                        continue;
                    };
                    let ready = is_ready(future.as_mut(), &waker);
                    assert_eq!(
                        ready,
                        self.pending == 0,
                        "ready with {} pending",
                        self.pending
                    );
                    registered |= !ready;
                    if ready {
                        waiter = None;
                    }
                }
                _ if random.random_ratio(1, 4) => waiter = None,
                _ => {}
            }
            assert_eq!(self.batch.outcomes(), self.expected);
            let woken = usize::from(registered && self.pending == 0);
            assert!(counter.count() <= woken, "woken {} times", counter.count());
            if waiter.is_some() {
                assert_eq!(counter.count(), woken);
            }
        }
        // librdkafka still has these records. Their reports arrive when the response has been sent.
        assert_eq!(self.pending, held.len());
        let completed = self.batch.completed().now_or_never();
        assert_eq!(completed.is_some(), held.is_empty());
        drop(waiter);
        for record in held {
            record.complete(Ok(at(99)));
        }
        assert_eq!(self.batch.completed().now_or_never(), Some(()));
        drop(batch);
        assert_eq!(Arc::strong_count(&self.batch), 1, "the batch leaks");
    }

    /// Returns the record if it is held.
    fn report(
        &mut self,
        (index, fate, record): (usize, Fate, Box<PendingRecord>),
    ) -> Option<Box<PendingRecord>> {
        match fate {
            Fate::Held => return Some(record),
            Fate::Dropped => drop(record),
            Fate::Reported(outcome) => {
                record.complete(outcome);
                self.expected[index] = outcome;
            }
        }
        self.pending -= 1;
        None
    }
}

#[derive(Debug, Default)]
struct CountWakes(AtomicUsize);

impl CountWakes {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl ArcWake for CountWakes {
    fn wake_by_ref(wakes: &Arc<Self>) {
        wakes.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn is_ready(future: Pin<&mut impl Future<Output = ()>>, waker: &Waker) -> bool {
    future.poll(&mut Context::from_waker(waker)).is_ready()
}
