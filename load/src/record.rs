//! Times and counts of a run: since its start, and of the current second. All senders write it; the live view and the report read
//! it. Never decides anything.

pub(crate) mod outcome;

use std::collections::BTreeMap;
use std::mem;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::facts::feed::Item;
use outcome::{Delivery, Outcome, Reason};

/// Kinds of problems that are counted apart; the others are counted together.
const MAX_PROBLEM_KINDS: usize = 20;

/// The record of a run, shared by its senders.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Record>);

/// When a request was sent, and how long it took.
#[derive(Debug)]
pub(crate) struct Timing {
    /// From when it was due, or sent where nothing was due, to its outcome.
    pub(crate) took: Duration,
    /// How long after it was due it was sent; none where nothing was due.
    pub(crate) late: Option<Duration>,
    /// Whether it was due before a connection was free.
    pub(crate) was_overdue: bool,
}

/// Everything since the start.
#[derive(Debug, Clone, Default)]
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
    /// A playback that was acknowledged lately.
    pub(crate) recent: Option<String>,
    pub(crate) latency: Times,
    pub(crate) late: Times,
    pub(crate) overdue: u64,
    /// By class, such as `2xx`; `none` without a response.
    pub(crate) statuses: BTreeMap<String, u64>,
    pub(crate) problems: BTreeMap<String, Problems>,
    pub(crate) reads: u64,
    pub(crate) reads_failed: u64,
    pub(crate) read_latency: Times,
    /// The highest acknowledged offset, by partition.
    pub(crate) last_offsets: BTreeMap<u16, u64>,
    pub(crate) last_response: Option<Instant>,
    window: Window,
}

/// Since the window before was taken: finished requests, and failed requests and questions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    pub(crate) requests: u64,
    pub(crate) acknowledged: u64,
    pub(crate) failed: u64,
    pub(crate) latency: Times,
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
    /// Counts facts that are being sent.
    pub(crate) fn sent(&self, facts: usize) {
        self.lock().sent += facts as u64;
    }

    /// Records the outcome of a request with these facts.
    pub(crate) fn finished(&self, items: &[Item], delivery: Delivery, timing: &Timing) {
        let mut record = self.lock();
        let mut acknowledged = 0;
        for (item, outcome) in items.iter().zip(delivery.outcomes) {
            match outcome {
                Outcome::Acknowledged => {
                    acknowledged += 1;
                    record.complete(item);
                    if acknowledged == 1 {
                        record.recent = Some(item.key.clone());
                    }
                }
                Outcome::Refused(reason) => {
                    record.refused += 1;
                    record.count_problem(reason, true);
                }
                Outcome::Unknown(reason) => record.count_problem(reason, false),
            }
        }
        let is_failed = acknowledged < items.len() as u64;
        record.requests += 1;
        record.failed += u64::from(is_failed);
        record.acknowledged += acknowledged;
        record.retries += delivery.retries;
        record.latency.add(timing.took);
        if let Some(late) = timing.late {
            record.late.add(late);
        }
        record.overdue += u64::from(timing.was_overdue);
        let class = delivery
            .status
            .map_or("none".to_owned(), |status| format!("{}xx", status / 100));
        *record.statuses.entry(class).or_default() += 1;
        for position in delivery.positions {
            let last = record.last_offsets.entry(position.partition).or_default();
            *last = (*last).max(position.offset);
        }
        record.last_response = Some(Instant::now());
        let window = &mut record.window;
        window.requests += 1;
        window.acknowledged += acknowledged;
        window.failed += u64::from(is_failed);
        window.latency.add(timing.took);
    }

    /// Records a question, and the status of its response or why there was none.
    pub(crate) fn queried(&self, took: Duration, status: Result<u16, String>) {
        let mut record = self.lock();
        record.reads += 1;
        record.read_latency.add(took);
        let kind = match status {
            Ok(200..=299) => return,
            Ok(status) => format!("question: status {status}"),
            Err(reason) => format!("question: {reason}"),
        };
        record.reads_failed += 1;
        record.window.failed += 1;
        let detail = String::new();
        record.count_problem(Reason { kind, detail }, false);
    }

    /// A copy of the record.
    pub(crate) fn snapshot(&self) -> Record {
        self.lock().clone()
    }

    /// A playback that was acknowledged lately.
    pub(crate) fn recent_playback(&self) -> Option<String> {
        self.lock().recent.clone()
    }

    /// Takes the current window, and begins the next.
    pub(crate) fn take_window(&self) -> Window {
        mem::take(&mut self.lock().window)
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

    /// Counts the playback whose last fact this is.
    fn complete(&mut self, item: &Item) {
        let Some(facts) = item.ends else { return };
        self.playbacks += 1;
        if self.example.as_ref().is_none_or(|(max, _)| facts > *max) {
            self.example = Some((facts, item.key.clone()));
        }
    }

    fn count_problem(&mut self, reason: Reason, is_refusal: bool) {
        let Reason { kind, detail } = reason;
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

/// A histogram of times in µs.
#[derive(Debug, Clone)]
pub(crate) struct Times(Histogram<u64>);

impl Times {
    /// Longer times are recorded as this.
    const MAX: Duration = Duration::from_hours(1);

    fn add(&mut self, time: Duration) {
        self.0
            .saturating_record(time.min(Self::MAX).as_micros() as u64);
    }
}

impl Default for Times {
    fn default() -> Self {
        #[expect(
            clippy::expect_used,
            reason = "refused only for bounds or digits out of range"
        )]
        let times =
            Histogram::new_with_bounds(1, Self::MAX.as_micros() as u64, 3).expect("a histogram");
        Self(times)
    }
}

impl Deref for Times {
    type Target = Histogram<u64>;

    fn deref(&self) -> &Histogram<u64> {
        &self.0
    }
}

#[cfg(test)]
#[path = "record/tests.rs"]
mod tests;
