//! The countdown of a batch. Loom runs every interleaving of threads; seeded schedules have delivery reports in any order, missing,
//! or late.

use std::{
    pin::pin,
    sync::Arc as StdArc,
    sync::atomic::AtomicUsize as StdAtomicUsize,
    task::{Context, Poll},
};

use ess_fuzz::for_each_seed;
use ess_schema::Position;
use futures::{
    FutureExt,
    task::{ArcWake, waker},
};
use loom::thread::{self, Thread};
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;
use rdkafka::error::RDKafkaErrorCode;

use super::*;

const UNKNOWN: Outcome = Err(AppendError::Unknown);

const fn at(offset: u64) -> Position {
    Position {
        partition: 0,
        offset,
    }
}

#[test]
fn a_batch_is_completed_only_with_its_last_record() {
    loom::model(|| {
        let (batch, mut records) = Batch::new(2);
        let (first, second) = (records.next().unwrap(), records.next().unwrap());
        second.complete(Ok(at(8)));
        assert_eq!(batch.completed().now_or_never(), None);
        first.complete(Ok(at(7)));
        assert_eq!(batch.completed().now_or_never(), Some(()));
        assert_eq!(batch.outcomes(), [Ok(at(7)), Ok(at(8))]);
    });
}

#[test]
fn the_last_report_wakes_the_waiter() {
    loom::model(|| {
        let (batch, mut records) = Batch::new(1);
        let mut waiter = Box::pin(batch.completed());
        assert_eq!((&mut waiter).now_or_never(), None);
        records.next().unwrap().complete(Ok(at(7)));
        assert_eq!(waiter.now_or_never(), Some(()));
    });
}

#[test]
fn an_unreported_record_is_unknown_never_lost() {
    loom::model(|| {
        let (batch, mut records) = Batch::new(2);
        records.next().unwrap().complete(Ok(at(7)));
        assert_eq!(batch.outcomes(), [Ok(at(7)), UNKNOWN]);
        drop(records.next());
        assert_eq!(batch.completed().now_or_never(), Some(()));
        assert_eq!(batch.outcomes(), [Ok(at(7)), UNKNOWN]);
    });
}

#[test]
fn an_empty_batch_is_completed() {
    loom::model(|| {
        let (batch, records) = Batch::new(0);
        assert_eq!(records.count(), 0);
        assert_eq!(batch.completed().now_or_never(), Some(()));
    });
}

#[test]
fn in_any_interleaving_the_waiter_wakes_and_has_every_outcome() {
    loom::model(|| {
        let (batch, records) = Batch::new(2);
        for (offset, record) in (0..).zip(records) {
            thread::spawn(move || record.complete(Ok(at(offset))));
        }
        block_on(batch.completed());
        assert_eq!(batch.outcomes(), [Ok(at(0)), Ok(at(1))]);
    });
}

#[test]
fn in_any_interleaving_with_a_timeout_an_outcome_is_exact_or_unknown() {
    loom::model(|| {
        let (batch, mut records) = Batch::new(2);
        let (reported, dropped) = (records.next().unwrap(), records.next().unwrap());
        let reports = [
            thread::spawn(move || reported.complete(Ok(at(7)))),
            thread::spawn(move || drop(dropped)),
        ];
        let completed = batch.completed().now_or_never();
        let outcomes = batch.outcomes();
        assert!(outcomes[0] == Ok(at(7)) || completed.is_none() && outcomes[0] == UNKNOWN);
        assert_eq!(outcomes[1], UNKNOWN);
        for report in reports {
            report.join().unwrap();
        }
        assert_eq!(batch.completed().now_or_never(), Some(()));
        assert_eq!(batch.outcomes(), [Ok(at(7)), UNKNOWN]);
    });
}

/// Runs a future on a loom thread, which loom reports as a deadlock if nothing wakes it.
fn block_on(future: impl Future<Output = ()>) {
    struct Unpark(Thread);

    impl ArcWake for Unpark {
        fn wake_by_ref(unpark: &StdArc<Self>) {
            unpark.0.unpark();
        }
    }

    let waker = waker(StdArc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    while future.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending {
        thread::park();
    }
}

#[test]
fn in_any_schedule_outcomes_are_exact_and_the_waiter_wakes_once_at_the_end() {
    for_each_seed(2_000, |random| {
        let random = random.clone();
        loom::model(move || run(&mut random.clone()));
    });
}

/// What librdkafka does with a record.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// It reports this outcome.
    Reported(Outcome),
    /// It drops the record without a report.
    Dropped,
    /// It reports only after the request has its response.
    Late,
}

impl Fate {
    fn random(index: usize, random: &mut ChaCha12Rng) -> Self {
        let failed = AppendError::Undelivered(RDKafkaErrorCode::MessageTimedOut);
        match random.random_range(0..10) {
            0 => Self::Late,
            1 => Self::Dropped,
            2 => Self::Reported(UNKNOWN),
            3 => Self::Reported(Err(failed)),
            _ => Self::Reported(Ok(at(index as u64))),
        }
    }
}

/// Interleaves the reports of a batch, in random order, with polls of its waiter, which ends at any time, as by a timeout.
fn run(random: &mut ChaCha12Rng) {
    let count = random.random_range(0..8);
    let (batch, records) = Batch::new(count);
    let mut records: Vec<_> = records.enumerate().collect();
    records.shuffle(random);
    let (mut expected, mut pending, mut late) = (vec![UNKNOWN; count], count, Vec::new());
    let wakes = StdArc::new(CountWakes::default());
    let counting = waker(StdArc::clone(&wakes));
    let mut waiter = Some(Box::pin(batch.completed()));
    let mut registered = false;
    loop {
        match random.random_range(0..8) {
            0..4 => {
                let Some((index, record)) = records.pop() else {
                    break;
                };
                match Fate::random(index, random) {
                    Fate::Late => late.push(record),
                    Fate::Dropped => drop(record),
                    Fate::Reported(outcome) => {
                        record.complete(outcome);
                        expected[index] = outcome;
                    }
                }
                pending = records.len() + late.len();
            }
            4..7 => {
                let Some(future) = waiter.as_mut() else {
                    continue;
                };
                let poll = future.as_mut().poll(&mut Context::from_waker(&counting));
                assert_eq!(poll.is_ready(), pending == 0, "{pending} pending");
                registered |= poll.is_pending();
                waiter = waiter.filter(|_| poll.is_pending());
            }
            _ => waiter = waiter.filter(|_| random.random_ratio(3, 4)),
        }
        assert_eq!(batch.outcomes(), expected);
        let woken = usize::from(registered && pending == 0);
        let count = wakes.0.load(Ordering::Relaxed);
        assert!(count == woken || waiter.is_none() && count == 0, "{count}");
    }
    let completed = batch.completed().now_or_never();
    assert_eq!(completed.is_some(), late.is_empty());
    drop(waiter);
    for record in late {
        record.complete(Ok(at(99)));
    }
    assert_eq!(batch.completed().now_or_never(), Some(()));
    assert_eq!(Arc::strong_count(&batch), 1, "the batch leaks");
}

#[derive(Debug, Default)]
struct CountWakes(StdAtomicUsize);

impl ArcWake for CountWakes {
    fn wake_by_ref(wakes: &StdArc<Self>) {
        wakes.0.fetch_add(1, Ordering::Relaxed);
    }
}
