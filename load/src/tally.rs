//! What has become of the facts so far. Written by all lanes, read by whoever shows it; never decides anything.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ess_schema::PlaybackId;
use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::lane::Due;
use crate::target::{Delivery, Outcome, Reason};

/// Kinds of reasons told apart; any other is counted as one.
const MOST_REASONS: usize = 20;
/// The longest latency that is told apart, in µs: an hour.
const LONGEST_US: u64 = 3_600_000_000;

/// The count, shared.
#[derive(Debug)]
pub(crate) struct Tally(Mutex<Counts>);

/// The count at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    /// Playbacks whose last fact was acknowledged.
    pub(crate) playbacks: u64,
    /// Facts that left.
    pub(crate) sent: u64,
    /// Facts in the log.
    pub(crate) acknowledged: u64,
    /// Facts refused, by the reason's kind.
    pub(crate) refused: BTreeMap<String, Refusals>,
    /// Facts of unknown fate, by the reason's kind.
    pub(crate) unknown: BTreeMap<String, Refusals>,
    /// Requests sent again.
    pub(crate) repeats: u64,
    /// Of each request, in µs, from when its first fact was due (without a schedule: left) until its last answer.
    pub(crate) latency_us: Histogram<u64>,
    /// How long after it was due the latest fact left.
    pub(crate) most_behind: Duration,
    /// A playback with many facts, all acknowledged as far as is known here, and how many.
    pub(crate) example: Option<(usize, PlaybackId)>,
}

/// Facts that were not acknowledged for one kind of reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusals {
    pub(crate) count: u64,
    /// What the first of them was told.
    pub(crate) first: String,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Counts::new()))
    }

    /// A batch is being sent.
    pub(crate) fn leaves(&self, batch: &[Due], now: Instant) {
        let mut counts = self.lock();
        counts.sent += batch.len() as u64;
        let behind = batch
            .iter()
            .filter_map(|due| now.checked_duration_since(due.at?));
        counts.most_behind = behind.max().unwrap_or_default().max(counts.most_behind);
    }

    /// A batch that had left at `left` has ended.
    pub(crate) fn arrived(&self, batch: &[Due], delivery: Delivery, left: Instant) {
        let mut counts = self.lock();
        let first_due = batch.iter().filter_map(|due| due.at).min();
        let took = first_due.unwrap_or(left).elapsed().as_micros();
        counts
            .latency_us
            .saturating_record(u64::try_from(took).unwrap_or(LONGEST_US));
        counts.repeats += delivery.repeats;
        for (due, outcome) in batch.iter().zip(delivery.outcomes) {
            match outcome {
                Outcome::Acknowledged => counts.acknowledge(due),
                Outcome::Refused(reason) => count(&mut counts.refused, reason),
                Outcome::Unknown(reason) => count(&mut counts.unknown, reason),
            }
        }
    }

    /// The count now.
    pub(crate) fn counts(&self) -> Counts {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Counters are whole at any moment, so a lane that panicked has not spoilt them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    pub(crate) fn new() -> Self {
        #[expect(
            clippy::expect_used,
            reason = "refused only for bounds or digits out of range"
        )]
        let latency_us = Histogram::new_with_bounds(1, LONGEST_US, 3).expect("a histogram");
        Self {
            playbacks: 0,
            sent: 0,
            acknowledged: 0,
            refused: BTreeMap::new(),
            unknown: BTreeMap::new(),
            repeats: 0,
            latency_us,
            most_behind: Duration::ZERO,
            example: None,
        }
    }

    /// Facts that left and were neither acknowledged nor refused, those included whose end nobody waited for.
    pub(crate) fn unacknowledged(&self) -> u64 {
        self.sent - self.acknowledged - self.refused()
    }

    /// Facts refused.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.values().map(|refusals| refusals.count).sum()
    }

    fn acknowledge(&mut self, due: &Due) {
        self.acknowledged += 1;
        let Some(facts) = due.fact.ends else { return };
        self.playbacks += 1;
        let is_longer = self.example.as_ref().is_none_or(|(most, _)| facts > *most);
        if let (true, Some(id)) = (is_longer, &due.fact.event.playback_id) {
            self.example = Some((facts, id.clone()));
        }
    }
}

fn count(reasons: &mut BTreeMap<String, Refusals>, Reason { kind, detail }: Reason) {
    let is_told_apart = reasons.len() < MOST_REASONS || reasons.contains_key(&kind);
    let kind = if is_told_apart {
        kind
    } else {
        "other reasons".to_owned()
    };
    let first = detail;
    reasons
        .entry(kind)
        .or_insert(Refusals { count: 0, first })
        .count += 1;
}

#[cfg(test)]
mod tests {
    use ess_schema::Timestamp;

    use super::*;
    use crate::simulate::{Simulator, SimulatorConfig};
    use crate::timeline::Timeline;

    /// The facts of one playback, due at `at`.
    fn batch(at: Option<Instant>) -> Vec<Due> {
        let start = Timestamp::from_millis(1_795_428_000_000).unwrap();
        let timeline = Timeline::new(Simulator::new(SimulatorConfig::new(1, 1, start)));
        let due = |(number, fact)| Due { number, fact, at };
        (0..).zip(timeline).map(due).collect()
    }

    fn delivery(batch: &[Due], outcome: impl Fn(usize) -> Outcome) -> Delivery {
        Delivery {
            outcomes: (0..batch.len()).map(outcome).collect(),
            repeats: 0,
        }
    }

    fn refused(kind: String) -> Outcome {
        let detail = "d".to_owned();
        Outcome::Refused(Reason { kind, detail })
    }

    #[test]
    fn latency_counts_from_when_a_fact_was_due_not_from_when_it_left() {
        let (tally, left) = (Tally::new(), Instant::now());
        let batch = batch(left.checked_sub(Duration::from_secs(2)));
        tally.leaves(&batch, left);
        tally.arrived(&batch, delivery(&batch, |_| Outcome::Acknowledged), left);
        let counts = tally.counts();
        assert!(
            counts.latency_us.max() >= 2_000_000,
            "{:?}",
            counts.latency_us.max()
        );
        assert_eq!(counts.most_behind, Duration::from_secs(2));
    }

    #[test]
    fn what_left_and_was_never_heard_of_is_not_acknowledged() {
        let (tally, batch) = (Tally::new(), batch(None));
        tally.leaves(&batch, Instant::now());
        assert_eq!(tally.counts().unacknowledged(), batch.len() as u64);
        let all = delivery(&batch, |_| Outcome::Acknowledged);
        tally.arrived(&batch, all, Instant::now());
        let counts = tally.counts();
        assert_eq!((counts.unacknowledged(), counts.playbacks), (0, 1));
        assert_eq!(counts.example.map(|(facts, _)| facts), Some(batch.len()));
    }

    #[test]
    fn no_more_kinds_of_reasons_are_held_than_can_be_read() {
        let (tally, batch) = (Tally::new(), batch(None));
        let rounds = MOST_REASONS * 2;
        for round in 0..rounds {
            tally.leaves(&batch, Instant::now());
            let all = delivery(&batch, |_| refused(format!("kind {round}")));
            tally.arrived(&batch, all, Instant::now());
        }
        let counts = tally.counts();
        assert_eq!(counts.refused.len(), MOST_REASONS + 1);
        assert_eq!(counts.refused(), (rounds * batch.len()) as u64);
        assert_eq!(counts.unacknowledged(), 0);
    }
}
