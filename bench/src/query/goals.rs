//! The goals, and whether they are met.

use std::fmt;

use serde::Serialize;

use super::measure::{
    CACHED, CACHED_CLIENTS, FEW, MANY, NOOP, ONE, READ, READ_SQL, SELECT_ONE, sql_of,
};
use super::results::Results;
use super::scan::{FIRST_PAGE, LATER_PAGE, REPORT, RETENTION, TOP_DAY, TOP_MONTH};
use super::staleness::Staleness;
use crate::http::latencies::Latencies;

/// Tolerance between two pages of equal cost, on a machine with other load.
const NOISE: f64 = 1.25;
/// Maximum ratio of a scan to its bare SQL.
const OF_SQL: f64 = 1.3;

/// Maximum staleness in ms for live figures, which are queried every 2 s (`LIVE_INTERVAL_MS`), to be at most 10 s old.
const LIVE_ROWS: f64 = 8_000.0;

/// A bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Goal {
    Max(f64),
    Min(f64),
    /// No goal.
    None,
}

/// One goal with the measured value.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) what: String,
    pub(super) unit: &'static str,
    pub(super) value: f64,
    pub(super) goal: Goal,
}

impl Verdict {
    /// Whether the goal is met, `None` without a goal.
    pub(super) fn is_met(&self) -> Option<bool> {
        match self.goal {
            Goal::Max(bound) => Some(self.value <= bound),
            Goal::Min(bound) => Some(self.value >= bound),
            Goal::None => None,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max(bound) => write!(f, "≤ {bound}"),
            Self::Min(bound) => write!(f, "≥ {bound}"),
            Self::None => write!(f, "–"),
        }
    }
}

/// The verdicts on all measured figures.
pub(super) fn verdicts(results: &Results) -> Vec<Verdict> {
    let reads = [ONE, FEW]
        .into_iter()
        .flat_map(|clients| reads(results, clients));
    let scans = [
        TOP_DAY, TOP_MONTH, REPORT, RETENTION, FIRST_PAGE, LATER_PAGE,
    ];
    let scans = scans.into_iter().map(|title| {
        let ratio = results.ratio((title, ONE), (&sql_of(title), ONE), p50);
        times(format!("{title} ÷ its SQL"), ratio, Goal::Max(OF_SQL))
    });
    let all = reads.chain(totals(results)).chain(scans);
    all.flatten().collect()
}

fn reads(results: &Results, clients: u64) -> [Option<Verdict>; 3] {
    let ratio =
        |to, value: fn(&Latencies) -> f64| results.ratio((READ, clients), (to, clients), value);
    let at = format!("uncached read, {clients} clients");
    [
        times(
            format!("{at}: p50 ÷ that of SELECT 1"),
            ratio(SELECT_ONE, p50),
            Goal::Max(4.0),
        ),
        times(
            format!("{at}: p99 ÷ that of SELECT 1"),
            ratio(SELECT_ONE, p99),
            Goal::Max(5.0),
        ),
        times(
            format!("{at}: p50 ÷ that of its SQL"),
            ratio(READ_SQL, p50),
            Goal::None,
        ),
    ]
}

fn totals(results: &Results) -> [Option<Verdict>; 5] {
    let many = results.ratio((READ, MANY), (READ_SQL, FEW), rate);
    let cached = results.ratio((CACHED, CACHED_CLIENTS), (NOOP, CACHED_CLIENTS), rate);
    let pages = results.ratio((LATER_PAGE, ONE), (FIRST_PAGE, ONE), p50);
    [
        times(
            format!("uncached reads/s, {MANY} clients ÷ one query a read"),
            many,
            Goal::Min(8.0),
        ),
        times(
            "cached reads/s ÷ those of a no-op".to_owned(),
            cached,
            Goal::Min(0.7),
        ),
        latency(TOP_DAY, results, Goal::Max(150.0)),
        latency(TOP_MONTH, results, Goal::Max(1_000.0)),
        times(
            "hundredth page of /events ÷ the first".to_owned(),
            pages,
            Goal::Max(NOISE),
        ),
    ]
}

fn times(what: String, value: Option<f64>, goal: Goal) -> Option<Verdict> {
    let unit = "×";
    Some(Verdict {
        what,
        unit,
        value: value?,
        goal,
    })
}

fn latency(title: &str, results: &Results, goal: Goal) -> Option<Verdict> {
    let (what, unit) = (title.to_owned(), "ms");
    let value = results.median(title, ONE, p50)?;
    Some(Verdict {
        what,
        unit,
        value,
        goal,
    })
}

/// The verdict on the staleness of live figures.
pub(super) fn live(staleness: Staleness) -> Verdict {
    Verdict {
        what: "staleness of playbacks, max".to_owned(),
        unit: "ms",
        value: staleness.max as f64,
        goal: Goal::Max(LIVE_ROWS),
    }
}

fn p50(latencies: &Latencies) -> f64 {
    latencies.p50
}

fn p99(latencies: &Latencies) -> f64 {
    latencies.p99
}

fn rate(latencies: &Latencies) -> f64 {
    latencies.rate
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(p50: f64, rate: f64) -> Latencies {
        Latencies {
            requests: 1,
            p50,
            p99: p50,
            rate,
            cost: None,
        }
    }

    #[test]
    fn only_measured_figures_have_a_verdict_and_a_bound_is_inclusive() {
        let mut results = Results::default();
        results.add(CACHED, CACHED_CLIENTS, round(1.0, 7_000.0));
        results.add(NOOP, CACHED_CLIENTS, round(1.0, 10_000.0));
        results.add(TOP_DAY, ONE, round(150.1, 6.0));
        let verdicts = verdicts(&results);
        let judged: Vec<_> = verdicts.iter().map(Verdict::is_met).collect();
        assert_eq!(judged, [Some(true), Some(false)]);
    }
}
