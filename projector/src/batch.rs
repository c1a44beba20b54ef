//! Batches: the records that are stored, acknowledged and committed together, and when a batch is flushed. A consumer that
//! has caught up flushes at once, one with a backlog sends large batches. Pure: it must never read a clock, Kafka or
//! ClickHouse.

pub(crate) mod accumulator;
pub(crate) mod column_pool;

use std::time::{Duration, Instant};

use ess_schema::{Position, columns::EventColumns};

use crate::{
    commit::{Span, Spans},
    config::ProjectorConfig,
    decode::{DeadLetter, Outcome},
};

/// Consecutive records of each of some partitions.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) rows: EventColumns,
    pub(crate) dead_letters: Vec<DeadLetter>,
    pub(crate) spans: Spans,
    /// Approximate memory of the dead letters, in bytes.
    dead_letter_bytes: usize,
}

impl Batch {
    fn len(&self) -> usize {
        self.rows.len() + self.dead_letters.len()
    }

    /// Approximate memory of its records, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes() + self.dead_letter_bytes
    }
}

/// When a batch is flushed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Maximum number of records.
    pub(crate) rows: usize,
    /// Maximum bytes; a batch exceeds it by less than one record.
    pub(crate) bytes: usize,
    /// Minimum time between two flushes while the consumer has caught up; a slow read model makes it longer
    /// ([`LATENCY_FACTOR`]).
    pub(crate) flush: Duration,
    /// Maximum time to fill a batch, unless `flush` is longer.
    pub(crate) max_age: Duration,
}

impl From<&ProjectorConfig> for Limits {
    fn from(config: &ProjectorConfig) -> Self {
        Self {
            rows: config.batch_rows,
            bytes: config.memory().batch_bytes(),
            flush: config.flush,
            max_age: config.max_age,
        }
    }
}

/// Whether the current batch should be flushed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// There is no record to flush.
    Empty,
    /// Not before this time has passed, unless more records arrive.
    In(Duration),
    /// Now; while all permits are in use, more records may be added.
    Now,
    /// Before another record is added.
    Full,
}

/// While the consumer has caught up, the interval between two flushes is at least this multiple of the last insert's latency.
/// An insert costs as much as some thousand rows, so a busy read model gets few large inserts and keeps capacity for readers.
const LATENCY_FACTOR: u32 = 3;

/// The upper bound of that interval, together with `max_age`. In the median an event waits for half of it; an operator who
/// wants fewer inserts raises `flush`. docs/LOAD-TESTS.md has the cost of both.
const MAX_LATENCY_INTERVAL: Duration = Duration::from_millis(250);

/// Fills one batch after the other.
#[derive(Debug)]
pub(crate) struct Batcher {
    limits: Limits,
    batch: Batch,
    /// When the first record of the batch was added.
    opened_at: Instant,
    last_flush: Option<Instant>,
}

impl Batcher {
    pub(crate) fn new(limits: Limits, now: Instant) -> Self {
        Self {
            limits,
            batch: Batch::default(),
            opened_at: now,
            last_flush: None,
        }
    }

    /// Adds the outcome of the record at `position`. Offsets of a partition must rise.
    pub(crate) fn push(&mut self, position: Position, outcome: Outcome, now: Instant) {
        if self.batch.len() == 0 {
            self.opened_at = now;
        }
        let span = self.batch.spans.entry(position.partition).or_insert(Span {
            next_offset: 0,
            last_ingest: None,
        });
        span.next_offset = position.offset + 1;
        match outcome {
            Outcome::Event(event) => {
                span.last_ingest = span.last_ingest.max(Some(event.ingest_time));
                self.batch.rows.push(&event, position);
            }
            Outcome::DeadLetter(letter) => {
                self.batch.dead_letter_bytes += letter.bytes();
                self.batch.dead_letters.push(letter);
            }
        }
    }

    /// Whether the batch has reached a limit.
    pub(crate) fn is_full(&self) -> bool {
        let Limits { rows, bytes, .. } = self.limits;
        self.batch.len() >= rows || self.batch.bytes() >= bytes
    }

    /// Whether the batch should be flushed. `caught_up`: the last poll returned no record. `last_insert_latency`: how long
    /// the last batch took to be stored.
    pub(crate) fn due(&self, now: Instant, caught_up: bool, last_insert_latency: Duration) -> Due {
        let Limits { flush, max_age, .. } = self.limits;
        if self.batch.len() == 0 {
            return Due::Empty;
        }
        if self.is_full() {
            return Due::Full;
        }
        let flush_at = if caught_up {
            let max_interval = MAX_LATENCY_INTERVAL.min(max_age);
            let interval = (last_insert_latency * LATENCY_FACTOR)
                .min(max_interval)
                .max(flush);
            self.last_flush.map_or(now, |last| last + interval)
        } else {
            self.opened_at + max_age
        };
        match flush_at.saturating_duration_since(now) {
            Duration::ZERO => Due::Now,
            wait => Due::In(wait),
        }
    }

    /// Returns the batch and starts the next one with `rows`, which must be empty.
    pub(crate) fn finish_batch(&mut self, now: Instant, rows: EventColumns) -> Batch {
        self.last_flush = Some(now);
        let next = Batch {
            rows,
            ..Batch::default()
        };
        std::mem::replace(&mut self.batch, next)
    }

    /// Removes the span of a revoked partition. Its rows stay: storing them is harmless (I3), committing their offsets is
    /// not.
    pub(crate) fn forget_partition(&mut self, partition: u16) {
        self.batch.spans.remove(&partition);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{decode, tests::record};

    const LIMITS: Limits = Limits {
        rows: 3,
        bytes: 10_000,
        flush: Duration::from_millis(50),
        max_age: Duration::from_millis(400),
    };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn push(batcher: &mut Batcher, offset: u64, payload: &str, now: Instant) {
        let position = Position {
            partition: 7,
            offset,
        };
        batcher.push(position, decode(&record(Some(payload), &[])), now);
    }

    #[test]
    fn a_consumer_that_has_caught_up_flushes_the_first_record_at_once() {
        let start = Instant::now();
        let mut batcher = Batcher::new(LIMITS, start);
        assert_eq!(batcher.due(start, true, ms(10)), Due::Empty);
        push(&mut batcher, 0, "{}", start);
        assert_eq!(batcher.due(start, true, ms(10)), Due::Now);
        assert_eq!(batcher.due(start, false, ms(10)), Due::In(ms(400)));
    }

    #[test]
    fn a_steady_trickle_is_flushed_at_intervals_and_not_record_by_record() {
        let start = Instant::now();
        let mut batcher = Batcher::new(LIMITS, start);
        push(&mut batcher, 0, "{}", start);
        batcher.finish_batch(start, EventColumns::default());
        push(&mut batcher, 1, "{}", start + ms(10));
        assert_eq!(batcher.due(start + ms(10), true, ms(10)), Due::In(ms(40)));
        assert_eq!(batcher.due(start + ms(50), true, ms(10)), Due::Now);
    }

    #[test]
    fn slow_inserts_lengthen_the_interval_up_to_a_bound_that_only_flush_exceeds() {
        let start = Instant::now();
        let mut batcher = Batcher::new(LIMITS, start);
        push(&mut batcher, 0, "{}", start);
        batcher.finish_batch(start, EventColumns::default());
        push(&mut batcher, 1, "{}", start);
        assert_eq!(batcher.due(start, true, ms(60)), Due::In(ms(180)));
        let slow = ms(60_000);
        assert_eq!(batcher.due(start, true, slow), Due::In(ms(250)));
        batcher.limits.flush = ms(300);
        assert_eq!(batcher.due(start, true, slow), Due::In(ms(300)));
        (batcher.limits.flush, batcher.limits.max_age) = (ms(50), ms(100));
        assert_eq!(batcher.due(start, true, slow), Due::In(ms(100)));
    }

    #[test]
    fn a_consumer_that_never_catches_up_flushes_at_the_maximum_age() {
        let start = Instant::now();
        let mut batcher = Batcher::new(LIMITS, start);
        push(&mut batcher, 0, "{}", start);
        push(&mut batcher, 1, "{}", start + ms(399));
        assert_eq!(batcher.due(start + ms(400), false, ms(10)), Due::Now);
    }

    #[test]
    fn a_batch_is_full_by_rows_or_by_bytes() {
        let start = Instant::now();
        let mut batcher = Batcher::new(LIMITS, start);
        (0..3).for_each(|offset| push(&mut batcher, offset, "{}", start));
        assert_eq!(batcher.due(start, false, ms(10)), Due::Full);
        batcher.finish_batch(start, EventColumns::default());
        let position = Position {
            partition: 0,
            offset: 0,
        };
        let large = decode(&record(Some(&"x".repeat(10_000)), &[]));
        batcher.push(position, large, start);
        assert!(batcher.is_full());
        assert_eq!(batcher.due(start, false, ms(10)), Due::Full);
    }

    #[test]
    fn a_batch_has_the_next_offset_of_each_partition() {
        let start = Instant::now();
        let mut batcher = Batcher::new(LIMITS, start);
        let good = r#"{"id":"e1","user_id":"u1","track_id":"t1"}"#;
        push(&mut batcher, 40, good, start);
        push(&mut batcher, 42, "bad", start);
        let batch = batcher.finish_batch(start, EventColumns::default());
        assert_eq!((batch.rows.len(), batch.dead_letters.len()), (1, 1));
        assert_eq!(batch.spans[&7].next_offset, 43);
        assert!(batch.spans[&7].last_ingest.is_some());
        push(&mut batcher, 43, good, start);
        batcher.forget_partition(7);
        let batch = batcher.finish_batch(start, EventColumns::default());
        assert_eq!((batch.rows.len(), batch.spans.len()), (1, 0));
    }
}
