//! Searches for the highest rate that meets the bounds: first up or down from the target in steps, then by bisection.

use std::fmt;

use serde::Serialize;

use super::{Runs, broken};
use crate::error::Result;
use crate::report::{table, thousands};

/// Factor between two rates before the bisection.
const STEP: f64 = 1.25;
/// Number of bisections.
const HALVES: u32 = 3;
/// The limits of the search.
const MAX_RATE: f64 = 100_000.0;
const MIN_RATE: f64 = 100.0;

/// One rate of the search.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Attempt {
    /// Requests per second.
    rate: f64,
    holds: bool,
    /// The failed bounds.
    why: String,
    lag_p50: Option<f64>,
    lag_p99: Option<f64>,
    latency_p99: f64,
}

/// Runs the search. `holds` is whether the rate `from` meets the bounds.
///
/// # Errors
/// A run that fails.
pub(super) async fn search(
    runs: &Runs<'_>,
    seconds: u64,
    from: f64,
    holds: bool,
) -> Result<Vec<Attempt>> {
    let mut attempts = Vec::new();
    let mut bounds = Bounds::new(from, holds);
    while let Some(rate) = bounds.next() {
        let attempt = attempt(runs, seconds, rate).await?;
        bounds.record(rate, attempt.holds);
        attempts.push(attempt);
    }
    Ok(attempts)
}

async fn attempt(runs: &Runs<'_>, seconds: u64, rate: f64) -> Result<Attempt> {
    let settings = [
        format!("stages=[{{for=\"{seconds}s\",rate={rate:.0}}}]"),
        // The rate must be met within 1 %, as for the target.
        format!(
            "thresholds=[\"errors == 0\",\"rate >= {:.0}/s\",\"lag_p50 <= 150ms\",\"lag_p99 <= 500ms\",\"lost == 0\",\"twice == 0\"]",
            rate * 0.99
        ),
    ];
    let report = runs
        .run("steady", &format!("steady-{rate:.0}"), &settings)
        .await?;
    Ok(Attempt {
        rate,
        holds: report.is_green(),
        why: broken(&report),
        lag_p50: report.lag.as_ref().map(|lag| lag.p50),
        lag_p99: report.lag.as_ref().map(|lag| lag.p99),
        latency_p99: report.latency.p99,
    })
}

/// Lower and upper bound of the highest rate.
#[derive(Debug)]
struct Bounds {
    holds: Option<f64>,
    breaks: Option<f64>,
    halves: u32,
}

impl Bounds {
    fn new(from: f64, holds: bool) -> Self {
        Self {
            holds: holds.then_some(from),
            breaks: (!holds).then_some(from),
            halves: 0,
        }
    }

    /// The next rate, `None` at the end of the search.
    fn next(&mut self) -> Option<f64> {
        match (self.holds, self.breaks) {
            (Some(holds), None) => Some(holds * STEP).filter(|rate| *rate <= MAX_RATE),
            (None, Some(breaks)) => Some(breaks / STEP).filter(|rate| *rate >= MIN_RATE),
            (Some(holds), Some(breaks)) if self.halves < HALVES => {
                self.halves += 1;
                Some(f64::midpoint(holds, breaks))
            }
            _ => None,
        }
    }

    fn record(&mut self, rate: f64, holds: bool) {
        let bound = if holds {
            &mut self.holds
        } else {
            &mut self.breaks
        };
        *bound = Some(rate);
    }
}

/// Writes the search as a table.
pub(super) fn write(f: &mut fmt::Formatter<'_>, attempts: &[Attempt], seconds: u64) -> fmt::Result {
    if attempts.is_empty() {
        return Ok(());
    }
    let head = format!("requests/s, {seconds} s each");
    let mut table = table(&[
        &head,
        "holds",
        "lag p50, ms",
        "lag p99, ms",
        "latency p99, ms",
        "broken",
    ]);
    let shown = |value: Option<f64>| value.map_or("–".to_owned(), thousands);
    for attempt in attempts {
        table.add_row([
            thousands(attempt.rate),
            if attempt.holds { "yes" } else { "no" }.to_owned(),
            shown(attempt.lag_p50),
            shown(attempt.lag_p99),
            format!("{:.1}", attempt.latency_p99),
            attempt.why.clone(),
        ]);
    }
    writeln!(f, "{table}")?;
    let holding = attempts.iter().filter(|attempt| attempt.holds);
    match holding.map(|attempt| attempt.rate).reduce(f64::max) {
        Some(rate) => writeln!(
            f,
            "\nhighest rate that met every bound: {}/s",
            thousands(rate)
        ),
        None => writeln!(f, "\nno rate met every bound"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(from: f64, limit: f64) -> f64 {
        let mut bounds = Bounds::new(from, from <= limit);
        let mut tried = 0;
        while let Some(rate) = bounds.next() {
            bounds.record(rate, rate <= limit);
            tried += 1;
        }
        assert!(tried < 30);
        bounds.holds.unwrap_or(0.0)
    }

    #[test]
    fn the_highest_rate_is_found_from_below_and_from_above() {
        for limit in [500.0, 2_000.0, 3_600.0, 9_000.0] {
            let rate = found(3_500.0, limit);
            assert!(rate <= limit && rate > limit * 0.95, "{limit}: {rate}");
        }
    }

    #[test]
    fn a_search_ends_if_no_rate_or_every_rate_meets_the_bounds() {
        assert!(found(3_500.0, 0.0) <= 0.0);
        assert!(found(3_500.0, f64::MAX) > MAX_RATE / STEP / STEP);
    }
}
