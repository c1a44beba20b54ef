//! What was aimed at, and whether it is met.

use std::fmt;

use serde::Serialize;

use super::measure::{
    CACHED, CACHED_CLIENTS, FEW, MANY, NOOP, ONE, READ, READ_SQL, SELECT_ONE, sql_of,
};
use super::results::Results;
use super::scan::{FIRST_PAGE, LATER_PAGE, REPORT, RETENTION, TOP_DAY, TOP_MONTH};
use super::staleness::Staleness;
use crate::http::latencies::Latencies;

/// Between two pages that cost the same, on a machine that does something else as well.
const NOISE: f64 = 1.25;
/// A scan beside its bare SQL.
const OF_SQL: f64 = 1.3;

/// What is live is looked up every 2 s (`LIVE_INTERVAL_MS`) in rows that are so old at most, in ms: within 10 s of the truth.
const LIVE_ROWS: f64 = 8_000.0;

/// A bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// None was set.
    Open,
}

/// One goal, and what came out.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) what: String,
    pub(super) unit: &'static str,
    pub(super) value: f64,
    pub(super) goal: Goal,
}

impl Verdict {
    /// None without a goal.
    pub(super) fn is_met(&self) -> Option<bool> {
        match self.goal {
            Goal::AtMost(bound) => Some(self.value <= bound),
            Goal::AtLeast(bound) => Some(self.value >= bound),
            Goal::Open => None,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(bound) => write!(f, "≤ {bound}"),
            Self::AtLeast(bound) => write!(f, "≥ {bound}"),
            Self::Open => write!(f, "–"),
        }
    }
}

/// Every goal whose figures were measured.
pub(super) fn verdicts(results: &Results) -> Vec<Verdict> {
    let reads = [ONE, FEW]
        .into_iter()
        .flat_map(|clients| reads(results, clients));
    let scans = [
        TOP_DAY, TOP_MONTH, REPORT, RETENTION, FIRST_PAGE, LATER_PAGE,
    ];
    let scans = scans.into_iter().map(|title| {
        let ratio = results.ratio((title, ONE), (&sql_of(title), ONE), p50);
        times(format!("{title}, of its SQL"), ratio, Goal::AtMost(OF_SQL))
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
            format!("{at}: p50 of that of SELECT 1"),
            ratio(SELECT_ONE, p50),
            Goal::AtMost(4.0),
        ),
        times(
            format!("{at}: p99 of that of SELECT 1"),
            ratio(SELECT_ONE, p99),
            Goal::AtMost(5.0),
        ),
        times(
            format!("{at}: p50 of that of its SQL"),
            ratio(READ_SQL, p50),
            Goal::Open,
        ),
    ]
}

fn totals(results: &Results) -> [Option<Verdict>; 5] {
    let many = results.ratio((READ, MANY), (READ_SQL, FEW), rate);
    let cached = results.ratio((CACHED, CACHED_CLIENTS), (NOOP, CACHED_CLIENTS), rate);
    let pages = results.ratio((LATER_PAGE, ONE), (FIRST_PAGE, ONE), p50);
    [
        times(
            format!("uncached reads/s, {MANY} clients, of one query a read"),
            many,
            Goal::AtLeast(8.0),
        ),
        times(
            "cached reads/s of a no-op's".to_owned(),
            cached,
            Goal::AtLeast(0.7),
        ),
        lasts(TOP_DAY, results, Goal::AtMost(150.0)),
        lasts(TOP_MONTH, results, Goal::AtMost(1_000.0)),
        times(
            "hundredth page of /events, of the first".to_owned(),
            pages,
            Goal::AtMost(NOISE),
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

fn lasts(title: &str, results: &Results, goal: Goal) -> Option<Verdict> {
    let (what, unit) = (title.to_owned(), "ms");
    let value = results.middle(title, ONE, p50)?;
    Some(Verdict {
        what,
        unit,
        value,
        goal,
    })
}

/// How old the rows may be that say what is live.
pub(super) fn live(staleness: Staleness) -> Verdict {
    Verdict {
        what: "rows of playbacks behind, most".to_owned(),
        unit: "ms",
        value: staleness.most as f64,
        goal: Goal::AtMost(LIVE_ROWS),
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
    fn only_what_was_measured_is_judged_and_a_bound_itself_meets_it() {
        let mut results = Results::default();
        results.add(CACHED, CACHED_CLIENTS, round(1.0, 7_000.0));
        results.add(NOOP, CACHED_CLIENTS, round(1.0, 10_000.0));
        results.add(TOP_DAY, ONE, round(150.1, 6.0));
        let verdicts = verdicts(&results);
        let judged: Vec<_> = verdicts.iter().map(Verdict::is_met).collect();
        assert_eq!(judged, [Some(true), Some(false)]);
    }
}
