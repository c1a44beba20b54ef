//! A simulated projector: the real batcher and offset tracker, with batches in flight that the scheduler completes. It must make
//! every choice from the seeded source.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use ess_schema::{Position, columns::EventColumns};
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;

use crate::{
    batch::{Batcher, Due, Limits},
    commit::{BatchId, OffsetTracker, Watermark},
    decode::{decode, tests::record},
};

const MAX_IN_FLIGHT: usize = 3;
const LIMITS: Limits = Limits {
    rows: 5,
    bytes: 10_000,
    flush: Duration::from_millis(50),
    max_age: Duration::from_millis(400),
};
/// A batch exceeds its limit by less than one record.
const MAX_RECORD_BYTES: usize = 9_500;
const EVENT: &str = r#"{"id":"e1","user_id":"u1","track_id":"t1"}"#;

/// Why a batch was flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FlushCause {
    Rows,
    Bytes,
    CaughtUp,
    Age,
    Drain,
}

/// The memory of one projector, which a crash loses.
pub(super) struct Projector {
    pub(super) tracker: OffsetTracker,
    pub(super) batcher: Batcher,
    /// The records in the batcher.
    batch: Vec<Position>,
    opened_at: Instant,
    /// The assigned partitions with the next offset to poll.
    pub(super) next: BTreeMap<u16, u64>,
    pub(super) in_flight: Vec<(BatchId, Vec<Position>)>,
    pub(super) recording: VecDeque<Vec<Watermark>>,
    /// Partition, offset and epoch of each commit in flight.
    pub(super) commits: VecDeque<(u16, u64, u64)>,
}

impl Projector {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            tracker: OffsetTracker::default(),
            batcher: Batcher::new(LIMITS, now),
            batch: Vec::new(),
            opened_at: now,
            next: BTreeMap::new(),
            in_flight: Vec::new(),
            recording: VecDeque::new(),
            commits: VecDeque::new(),
        }
    }

    /// Polls some records and flushes the batch if it is due, as `Consumer::poll_once` does.
    pub(super) fn poll(
        &mut self,
        random: &mut ChaCha12Rng,
        now: Instant,
        ends: &[u64],
    ) -> Option<FlushCause> {
        // While the batch is full, the partitions are paused.
        let mut caught_up = self.batcher.is_full();
        for _ in 0..random.random_range(1..8) {
            if self.batcher.is_full() {
                break;
            }
            let Some(position) = self.next_record(random, ends) else {
                caught_up = true;
                break;
            };
            if self.batch.is_empty() {
                self.opened_at = now;
            }
            self.batch.push(position);
            let payload = match random.random_range(0..8) {
                0 => "x".repeat(9_000),
                1 => "bad".to_owned(),
                _ => EVENT.to_owned(),
            };
            let outcome = decode(&record(Some(&payload), &[]));
            self.batcher.push(position, outcome, now);
        }
        let latency = Duration::from_millis(random.random_range(0..200));
        let cause = self.due(now, caught_up, latency)?;
        let has_permit = self.in_flight.len() + self.recording.len() < MAX_IN_FLIGHT;
        has_permit.then(|| self.flush(now, cause))
    }

    fn next_record(&mut self, random: &mut ChaCha12Rng, ends: &[u64]) -> Option<Position> {
        let readable = self.next.iter_mut();
        let readable = readable.filter(|(p, next)| **next < ends[usize::from(**p)]);
        let (partition, next) = readable.choose(random)?;
        let position = Position {
            partition: *partition,
            offset: *next,
        };
        *next += 1;
        Some(position)
    }

    fn due(&self, now: Instant, caught_up: bool, latency: Duration) -> Option<FlushCause> {
        match self.batcher.due(now, caught_up, latency) {
            Due::Full if self.batch.len() == LIMITS.rows => Some(FlushCause::Rows),
            Due::Full => Some(FlushCause::Bytes),
            Due::Now if caught_up => Some(FlushCause::CaughtUp),
            Due::Now => Some(FlushCause::Age),
            Due::In(wait) => {
                let deadline = self.opened_at + LIMITS.max_age;
                assert!(now + wait <= deadline, "a record waits too long");
                None
            }
            Due::Empty => {
                assert_eq!(self.batch, [], "the batcher lost a record");
                None
            }
        }
    }

    fn flush(&mut self, now: Instant, cause: FlushCause) -> FlushCause {
        let batch = self.batcher.finish_batch(now, EventColumns::default());
        let records = std::mem::take(&mut self.batch);
        assert_eq!(batch.rows.len() + batch.dead_letters.len(), records.len());
        let mut rows = (0..batch.rows.len()).map(|row| batch.rows.position(row));
        assert!(rows.all(|row| records.contains(&row)), "an unknown row");
        assert!(records.len() <= LIMITS.rows, "too many rows");
        let max_bytes = LIMITS.bytes + MAX_RECORD_BYTES;
        assert!(batch.bytes() < max_bytes, "{} bytes", batch.bytes());
        let id = self.tracker.register(&batch.spans, now);
        self.in_flight.push((id, records));
        cause
    }

    pub(super) fn flush_for_drain(&mut self, now: Instant) -> Option<FlushCause> {
        (!self.batch.is_empty()).then(|| self.flush(now, FlushCause::Drain))
    }

    /// ClickHouse acknowledges one of the batches in flight; returns its records.
    pub(super) fn complete(&mut self, random: &mut ChaCha12Rng) -> Vec<Position> {
        if self.in_flight.is_empty() {
            return Vec::new();
        }
        let index = random.random_range(0..self.in_flight.len());
        let (batch, records) = self.in_flight.swap_remove(index);
        self.recording.push_back(self.tracker.mark_stored(batch));
        records
    }
}
