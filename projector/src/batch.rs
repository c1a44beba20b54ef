//! Batches: what is stored, acknowledged and committed together, and when one is full enough to go. An idle log is stored
//! at once, a backlog in large blocks. Pure: it is told the time, and knows neither Kafka nor ClickHouse.

pub(crate) mod column_pool;
pub(crate) mod dispatch;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use ess_schema::{Position, Timestamp, columns::EventColumns};

use crate::{
    config::ProjectorConfig,
    decode::{DeadLetter, Outcome},
};

/// What a batch holds of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// One past the last offset it holds.
    pub(crate) next_offset: u64,
    /// The latest ingest time among its events, none when all are dead letters.
    pub(crate) last_ingest: Option<Timestamp>,
}

/// A span of each partition.
pub(crate) type Spans = BTreeMap<u16, Span>;

/// Consecutive records of each of some partitions.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) rows: EventColumns,
    pub(crate) dead_letters: Vec<DeadLetter>,
    pub(crate) spans: Spans,
    /// Bytes that its dead letters take, roughly.
    letter_bytes: usize,
}

impl Batch {
    fn len(&self) -> usize {
        self.rows.len() + self.dead_letters.len()
    }

    /// Bytes of memory that what it holds takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes() + self.letter_bytes
    }
}

/// When a batch goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Most records.
    pub(crate) rows: usize,
    /// Most bytes, exceeded by less than one record.
    pub(crate) bytes: usize,
    /// Least time between two batches while the log runs dry; with a read model that is busy it becomes longer ([`PACE`]).
    pub(crate) flush: Duration,
    /// Longest time a batch is filled, unless `flush` is longer.
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

/// Whether the batch being filled should go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// There is nothing to go.
    Empty,
    /// Not before this long has passed, unless more comes.
    In(Duration),
    /// It should go; while it cannot, it may be filled further.
    Now,
    /// It must go before anything more is taken.
    Full,
}

/// While the log runs dry, a batch goes no sooner than so many times the last one's flight after it. An insert costs as much as
/// some thousand rows, so on a read model that is busy few large ones leave more to those who read.
const PACE: u32 = 3;

/// But no later than this, and than a batch may be filled: half of it is what a fact waits for at least in the median, and an
/// operator who wants fewer inserts raises `flush`. What either costs is in docs/LOAD-TESTS.md.
const LONGEST_REST: Duration = Duration::from_millis(250);

/// Fills one batch after the other.
#[derive(Debug)]
pub(crate) struct Batcher {
    limits: Limits,
    batch: Batch,
    opened: Instant,
    last_cut: Option<Instant>,
}

impl Batcher {
    pub(crate) fn new(limits: Limits, now: Instant) -> Self {
        Self {
            limits,
            batch: Batch::default(),
            opened: now,
            last_cut: None,
        }
    }

    /// Adds what became of the record at `position`; offsets of a partition must rise.
    pub(crate) fn push(&mut self, position: Position, outcome: Outcome, now: Instant) {
        if self.batch.len() == 0 {
            self.opened = now;
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
                self.batch.letter_bytes += letter.bytes();
                self.batch.dead_letters.push(letter);
            }
        }
    }

    /// Whether it holds all it may.
    pub(crate) fn is_full(&self) -> bool {
        let Limits { rows, bytes, .. } = self.limits;
        self.batch.len() >= rows || self.batch.bytes() >= bytes
    }

    /// Whether the batch should go. `dry`: the log had nothing more just now. `last_flight`: how long the last batch took to be
    /// stored.
    pub(crate) fn due(&self, now: Instant, dry: bool, last_flight: Duration) -> Due {
        let Limits { flush, max_age, .. } = self.limits;
        if self.batch.len() == 0 {
            return Due::Empty;
        }
        if self.is_full() {
            return Due::Full;
        }
        let at = if dry {
            let longest = LONGEST_REST.min(max_age);
            let rest = (last_flight * PACE).min(longest).max(flush);
            self.last_cut.map_or(now, |last| last + rest)
        } else {
            self.opened + max_age
        };
        match at.saturating_duration_since(now) {
            Duration::ZERO => Due::Now,
            wait => Due::In(wait),
        }
    }

    /// Hands out the batch, and begins the next one in `rows`, which are none yet.
    pub(crate) fn cut(&mut self, now: Instant, rows: EventColumns) -> Batch {
        self.last_cut = Some(now);
        let next = Batch {
            rows,
            ..Batch::default()
        };
        std::mem::replace(&mut self.batch, next)
    }

    /// Forgets how far the batch reaches in a partition that was taken away. Its rows stay: storing them is harmless (I3),
    /// committing them is not.
    pub(crate) fn forget(&mut self, partition: u16) {
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
    fn the_first_record_of_an_idle_log_goes_at_once() {
        let start = Instant::now();
        let mut batcher = Batcher::new(LIMITS, start);
        assert_eq!(batcher.due(start, true, ms(10)), Due::Empty);
        push(&mut batcher, 0, "{}", start);
        assert_eq!(batcher.due(start, true, ms(10)), Due::Now);
        assert_eq!(batcher.due(start, false, ms(10)), Due::In(ms(400)));
    }

    #[test]
    fn a_steady_trickle_goes_in_steps_and_not_record_by_record() {
        let start = Instant::now();
        let mut batcher = Batcher::new(LIMITS, start);
        push(&mut batcher, 0, "{}", start);
        batcher.cut(start, EventColumns::default());
        push(&mut batcher, 1, "{}", start + ms(10));
        assert_eq!(batcher.due(start + ms(10), true, ms(10)), Due::In(ms(40)));
        assert_eq!(batcher.due(start + ms(50), true, ms(10)), Due::Now);
    }

    #[test]
    fn the_steps_are_longer_while_storing_takes_long_up_to_a_bound_that_only_flush_exceeds() {
        let start = Instant::now();
        let mut batcher = Batcher::new(LIMITS, start);
        push(&mut batcher, 0, "{}", start);
        batcher.cut(start, EventColumns::default());
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
    fn a_log_that_never_runs_dry_is_not_kept_waiting_for_a_full_batch() {
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
        batcher.cut(start, EventColumns::default());
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
    fn a_batch_says_how_far_it_reaches_in_each_partition() {
        let start = Instant::now();
        let mut batcher = Batcher::new(LIMITS, start);
        let good = r#"{"id":"e1","user_id":"u1","track_id":"t1"}"#;
        push(&mut batcher, 40, good, start);
        push(&mut batcher, 42, "bad", start);
        let batch = batcher.cut(start, EventColumns::default());
        assert_eq!((batch.rows.len(), batch.dead_letters.len()), (1, 1));
        assert_eq!(batch.spans[&7].next_offset, 43);
        assert!(batch.spans[&7].last_ingest.is_some());
        push(&mut batcher, 43, good, start);
        batcher.forget(7);
        let batch = batcher.cut(start, EventColumns::default());
        assert_eq!((batch.rows.len(), batch.spans.len()), (1, 0));
    }
}
