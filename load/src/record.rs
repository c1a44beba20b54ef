//! What a run has come to: since its begin, and within the second that goes on. Written by everybody who sends, read by whoever
//! shows or reports; decides nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ess_schema::Position;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The longest time that is told apart, µs: an hour.
const LONGEST_US: u64 = 3_600_000_000;
/// Kinds of problems told apart; any other is counted as one.
const MOST_KINDS: usize = 20;

/// The record, shared.
#[derive(Debug)]
pub(crate) struct Record(Mutex<Recorded>);

/// One request that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// From when it was due.
    pub(crate) took: Duration,
    /// How long after it was due it left; none where nothing was due.
    pub(crate) late: Option<Duration>,
    /// Whether it was due before anybody was free to send it.
    pub(crate) was_overdue: bool,
    pub(crate) facts: u64,
    pub(crate) acknowledged: u64,
    pub(crate) status: Option<u16>,
    /// Of each fact, or the request as a whole, that was not acknowledged: kind and detail.
    pub(crate) problems: Vec<(String, String)>,
    pub(crate) positions: Vec<Position>,
}

/// Everything so far.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    pub(crate) facts: u64,
    pub(crate) acknowledged: u64,
    pub(crate) latency_us: Histogram<u64>,
    pub(crate) late_us: Histogram<u64>,
    pub(crate) overdue: u64,
    /// By class, such as `2xx`; `none` without an answer.
    pub(crate) statuses: BTreeMap<String, u64>,
    pub(crate) problems: BTreeMap<String, Problems>,
    pub(crate) reads: u64,
    pub(crate) reads_failed: u64,
    pub(crate) read_us: Histogram<u64>,
    /// The highest offset acknowledged, by partition.
    pub(crate) last: BTreeMap<u16, u64>,
    pub(crate) last_answer: Option<Instant>,
    /// Requests and questions that failed, latencies of the requests, since the window began.
    pub(crate) window: Window,
}

/// What happened since it was looked at last.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) requests: u64,
    pub(crate) facts: u64,
    pub(crate) failed: u64,
    pub(crate) latency_us: Histogram<u64>,
}

/// Problems of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems {
    /// How many.
    pub count: u64,
    /// What the first of them said.
    pub first: String,
}

impl Record {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Recorded {
            requests: 0,
            failed: 0,
            facts: 0,
            acknowledged: 0,
            latency_us: histogram(),
            late_us: histogram(),
            overdue: 0,
            statuses: BTreeMap::new(),
            problems: BTreeMap::new(),
            reads: 0,
            reads_failed: 0,
            read_us: histogram(),
            last: BTreeMap::new(),
            last_answer: None,
            window: Window::new(),
        }))
    }

    /// A request has ended.
    pub(crate) fn ended(&self, ended: Ended) {
        let mut record = self.lock();
        let took = micros(ended.took);
        let is_failed = ended.acknowledged < ended.facts;
        record.requests += 1;
        record.failed += u64::from(is_failed);
        record.facts += ended.facts;
        record.acknowledged += ended.acknowledged;
        record.latency_us.saturating_record(took);
        if let Some(late) = ended.late {
            record.late_us.saturating_record(micros(late));
        }
        record.overdue += u64::from(ended.was_overdue);
        record.count_status(ended.status);
        for (kind, detail) in ended.problems {
            record.count_problem(kind, detail);
        }
        for position in ended.positions {
            let last = record.last.entry(position.partition).or_default();
            *last = (*last).max(position.offset);
        }
        record.last_answer = Some(Instant::now());
        let window = &mut record.window;
        window.requests += 1;
        window.facts += ended.acknowledged;
        window.failed += u64::from(is_failed);
        window.latency_us.saturating_record(took);
    }

    /// A question has been answered with 200, or has not.
    pub(crate) fn read(&self, took: Duration, status: Result<u16, String>) {
        let mut record = self.lock();
        record.reads += 1;
        record.read_us.saturating_record(micros(took));
        let problem = match status {
            Ok(200..=299) => return,
            Ok(status) => (format!("question answered {status}"), String::new()),
            Err(reason) => (format!("question: {reason}"), String::new()),
        };
        record.reads_failed += 1;
        record.window.failed += 1;
        record.count_problem(problem.0, problem.1);
    }

    /// Everything so far.
    pub(crate) fn so_far(&self) -> Recorded {
        self.lock().clone()
    }

    /// What happened since the last time this was asked.
    pub(crate) fn next_window(&self) -> Window {
        std::mem::replace(&mut self.lock().window, Window::new())
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        // Counters are whole at any moment, so whoever panicked has not spoilt them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorded {
    fn count_status(&mut self, status: Option<u16>) {
        let class = status.map_or("none".to_owned(), |status| format!("{}xx", status / 100));
        *self.statuses.entry(class).or_default() += 1;
    }

    fn count_problem(&mut self, kind: String, first: String) {
        let is_told_apart = self.problems.len() < MOST_KINDS || self.problems.contains_key(&kind);
        let kind = if is_told_apart {
            kind
        } else {
            "other problems".to_owned()
        };
        let problems = self.problems.entry(kind);
        problems.or_insert(Problems { count: 0, first }).count += 1;
    }
}

impl Window {
    fn new() -> Self {
        Self {
            requests: 0,
            facts: 0,
            failed: 0,
            latency_us: histogram(),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(LONGEST_US)
}

fn histogram() -> Histogram<u64> {
    #[expect(
        clippy::expect_used,
        reason = "refused only for bounds or digits out of range"
    )]
    let histogram = Histogram::new_with_bounds(1, LONGEST_US, 3).expect("a histogram");
    histogram
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(acknowledged: u64, status: u16) -> Ended {
        Ended {
            took: Duration::from_millis(20),
            late: Some(Duration::from_millis(2)),
            was_overdue: false,
            facts: 2,
            acknowledged,
            status: Some(status),
            problems: vec![
                ("503 /problems/overloaded".to_owned(), "full".to_owned());
                2 - acknowledged as usize
            ],
            positions: vec![Position {
                partition: 1,
                offset: acknowledged,
            }],
        }
    }

    #[test]
    fn a_request_that_was_acknowledged_in_part_is_an_error() {
        let record = Record::new();
        for (acknowledged, status) in [(2, 202), (1, 207), (0, 503)] {
            record.ended(ended(acknowledged, status));
        }
        let so_far = record.so_far();
        assert_eq!((so_far.requests, so_far.failed), (3, 2));
        assert_eq!((so_far.facts, so_far.acknowledged), (6, 3));
        assert_eq!(so_far.problems["503 /problems/overloaded"].count, 3);
        assert_eq!(so_far.statuses["2xx"], 2);
        assert_eq!(so_far.last[&1], 2);
    }

    #[test]
    fn a_window_begins_where_the_one_before_ended() {
        let record = Record::new();
        record.ended(ended(2, 202));
        assert_eq!(record.next_window().requests, 1);
        let window = record.next_window();
        assert_eq!((window.requests, window.latency_us.len()), (0, 0));
        assert_eq!(record.so_far().requests, 1);
    }

    #[test]
    fn no_more_kinds_of_problems_are_held_than_can_be_read() {
        let record = Record::new();
        for number in 0..100 {
            record.read(Duration::ZERO, Err(format!("kind {number}")));
        }
        let so_far = record.so_far();
        assert_eq!(so_far.problems.len(), MOST_KINDS + 1);
        assert_eq!(so_far.reads_failed, 100);
    }
}
