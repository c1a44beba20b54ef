//! Times and counts of a run: since its start, and of the current second. All senders write it; the live view and the report read
//! it. Never decides anything.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ess_schema::Position;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The longest time that the histograms distinguish, µs: an hour.
const MAX_LATENCY_US: u64 = 3_600_000_000;
/// Kinds of problems that are counted apart; the others are counted together.
const MAX_PROBLEM_KINDS: usize = 20;

/// The record of a run, shared by its senders.
#[derive(Debug)]
pub(crate) struct Recorder(Mutex<Record>);

/// One request that has finished.
#[derive(Debug)]
pub(crate) struct FinishedRequest {
    /// From when it was due, or sent where nothing was due, to its outcome.
    pub(crate) took: Duration,
    /// How long after it was due it was sent; none where nothing was due.
    pub(crate) late: Option<Duration>,
    /// Whether it was due before a connection was free.
    pub(crate) was_overdue: bool,
    pub(crate) facts: u64,
    pub(crate) acknowledged: u64,
    /// The playbacks whose last fact was acknowledged: how many facts each has, and its id.
    pub(crate) completed: Vec<(usize, String)>,
    /// How often facts of it were sent again.
    pub(crate) retries: u64,
    pub(crate) status: Option<u16>,
    /// One for each fact that was not acknowledged.
    pub(crate) problems: Vec<Problem>,
    pub(crate) positions: Vec<Position>,
}

/// Why one fact was not acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// Refused; otherwise its outcome is unknown.
    pub(crate) is_refusal: bool,
    pub(crate) kind: String,
    pub(crate) detail: String,
}

/// Everything since the start.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    /// Facts, those in flight included.
    pub(crate) sent: u64,
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    pub(crate) retries: u64,
    /// Playbacks whose last fact was acknowledged.
    pub(crate) playbacks: u64,
    /// The one of these with the most facts, and how many.
    pub(crate) example: Option<(usize, String)>,
    pub(crate) latency_us: Histogram<u64>,
    pub(crate) late_us: Histogram<u64>,
    pub(crate) overdue: u64,
    /// By class, such as `2xx`; `none` without a response.
    pub(crate) statuses: BTreeMap<String, u64>,
    pub(crate) problems: BTreeMap<String, Problems>,
    pub(crate) reads: u64,
    pub(crate) reads_failed: u64,
    pub(crate) read_us: Histogram<u64>,
    /// The highest acknowledged offset, by partition.
    pub(crate) last_offsets: BTreeMap<u16, u64>,
    pub(crate) last_response: Option<Instant>,
    window: Window,
}

/// Since the window before was taken: finished requests, and failed requests and questions.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) requests: u64,
    pub(crate) acknowledged: u64,
    pub(crate) failed: u64,
    pub(crate) latency_us: Histogram<u64>,
}

/// Problems of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems {
    /// How many.
    pub count: u64,
    /// The detail of the first.
    pub first: String,
    /// Whether the facts were refused; not part of a report.
    #[serde(skip)]
    pub(crate) is_refusal: bool,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Record {
            requests: 0,
            failed: 0,
            sent: 0,
            acknowledged: 0,
            refused: 0,
            retries: 0,
            playbacks: 0,
            example: None,
            latency_us: histogram(),
            late_us: histogram(),
            overdue: 0,
            statuses: BTreeMap::new(),
            problems: BTreeMap::new(),
            reads: 0,
            reads_failed: 0,
            read_us: histogram(),
            last_offsets: BTreeMap::new(),
            last_response: None,
            window: Window::new(),
        }))
    }

    /// Counts facts that are being sent.
    pub(crate) fn sent(&self, facts: u64) {
        self.lock().sent += facts;
    }

    /// Records a request that has finished.
    pub(crate) fn finished(&self, request: FinishedRequest) {
        let mut record = self.lock();
        let took = micros(request.took);
        let is_failed = request.acknowledged < request.facts;
        record.requests += 1;
        record.failed += u64::from(is_failed);
        record.acknowledged += request.acknowledged;
        record.retries += request.retries;
        record.latency_us.saturating_record(took);
        if let Some(late) = request.late {
            record.late_us.saturating_record(micros(late));
        }
        record.overdue += u64::from(request.was_overdue);
        record.count_status(request.status);
        for problem in request.problems {
            record.refused += u64::from(problem.is_refusal);
            record.count_problem(problem);
        }
        for completed in request.completed {
            record.playbacks += 1;
            if record
                .example
                .as_ref()
                .is_none_or(|(max, _)| completed.0 > *max)
            {
                record.example = Some(completed);
            }
        }
        for position in request.positions {
            let last = record.last_offsets.entry(position.partition).or_default();
            *last = (*last).max(position.offset);
        }
        record.last_response = Some(Instant::now());
        let window = &mut record.window;
        window.requests += 1;
        window.acknowledged += request.acknowledged;
        window.failed += u64::from(is_failed);
        window.latency_us.saturating_record(took);
    }

    /// Records a question, and the status of its response or why there was none.
    pub(crate) fn queried(&self, took: Duration, status: Result<u16, String>) {
        let mut record = self.lock();
        record.reads += 1;
        record.read_us.saturating_record(micros(took));
        let kind = match status {
            Ok(200..=299) => return,
            Ok(status) => format!("question: status {status}"),
            Err(reason) => format!("question: {reason}"),
        };
        record.reads_failed += 1;
        record.window.failed += 1;
        record.count_problem(Problem {
            is_refusal: false,
            kind,
            detail: String::new(),
        });
    }

    /// A copy of the record.
    pub(crate) fn snapshot(&self) -> Record {
        self.lock().clone()
    }

    /// Takes the current window, and begins the next.
    pub(crate) fn take_window(&self) -> Window {
        std::mem::replace(&mut self.lock().window, Window::new())
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        // A panic while it was locked leaves valid counters.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    /// Facts that were sent, and neither acknowledged nor refused.
    pub(crate) fn unknown(&self) -> u64 {
        self.sent - self.acknowledged - self.refused
    }

    fn count_status(&mut self, status: Option<u16>) {
        let class = status.map_or("none".to_owned(), |status| format!("{}xx", status / 100));
        *self.statuses.entry(class).or_default() += 1;
    }

    fn count_problem(&mut self, problem: Problem) {
        let Problem {
            is_refusal,
            kind,
            detail,
        } = problem;
        let is_known = self.problems.contains_key(&kind);
        let kind = if is_known || self.problems.len() < MAX_PROBLEM_KINDS {
            kind
        } else {
            "other problems".to_owned()
        };
        let problems = self.problems.entry(kind).or_insert(Problems {
            count: 0,
            first: detail,
            is_refusal,
        });
        problems.count += 1;
    }
}

impl Window {
    fn new() -> Self {
        Self {
            requests: 0,
            acknowledged: 0,
            failed: 0,
            latency_us: histogram(),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(MAX_LATENCY_US)
}

fn histogram() -> Histogram<u64> {
    #[expect(
        clippy::expect_used,
        reason = "refused only for bounds or digits out of range"
    )]
    let histogram = Histogram::new_with_bounds(1, MAX_LATENCY_US, 3).expect("a histogram");
    histogram
}

#[cfg(test)]
#[path = "record/tests.rs"]
mod tests;
