//! The report for the terminal: counts, rates and latencies, the proof, and each threshold with its verdict.

use std::fmt;

use indicatif::{HumanCount, HumanFloatCount};

use super::{Quantiles, Report, Verdict};
use crate::proof::{Check, Differences};
use crate::scenario::threshold::{Threshold, Unit};

/// Ids that are shown of each kind of difference.
const MAX_SHOWN: usize = 10;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let totals = &self.totals;
        writeln!(
            f,
            "{}: test {} from {}",
            self.name, self.test_id, self.began
        )?;
        writeln!(
            f,
            "{} requests, {} facts in {:.1} s: {} requests/s, {} facts/s acknowledged",
            HumanCount(totals.requests),
            HumanCount(totals.facts),
            self.took_s,
            HumanFloatCount(totals.rate.round()),
            HumanFloatCount(totals.facts_rate.round()),
        )?;
        writeln!(
            f,
            "acknowledged {}, refused {}, outcome unknown {}; requests not fully acknowledged {}",
            HumanCount(totals.acknowledged),
            HumanCount(totals.refused),
            HumanCount(totals.unknown),
            HumanCount(totals.errors),
        )?;
        let statuses: Vec<_> = self
            .statuses
            .iter()
            .map(|(class, n)| format!("{class} {}", HumanCount(*n)))
            .collect();
        writeln!(f, "responses: {}", statuses.join(", "))?;
        for (kind, problems) in &self.problems {
            write!(f, "  {}: {kind}", HumanCount(problems.count))?;
            if !problems.first.is_empty() {
                write!(f, "; first: {}", problems.first)?;
            }
            writeln!(f)?;
        }
        writeln!(f, "latency {}", line(&self.latency))?;
        if let Some(reads) = &self.reads {
            let (sent, failed) = (HumanCount(totals.questions), totals.question_errors);
            writeln!(f, "questions {sent}, {failed} failed; {}", line(reads))?;
        }
        self.write_generator(f)?;
        self.write_lag(f)?;
        for fault in &self.chaos {
            writeln!(f, "at {:.1} s {}", fault.at_s, fault.what)?;
        }
        if let Some(check) = &self.check {
            write_check(f, check)?;
        }
        if let Some(reason) = &self.unread {
            writeln!(f, "the read model was not read: {reason}")?;
        }
        for verdict in &self.verdicts {
            let mark = if verdict.held { "met    " } else { "NOT MET" };
            writeln!(f, "{mark} {} ({})", verdict.threshold, measured(verdict))?;
        }
        if self.was_interrupted {
            writeln!(f, "ended by a signal")?;
        }
        Ok(())
    }
}

impl Report {
    fn write_generator(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generator = &self.generator;
        write!(f, "generator: {:.0} % of a core", generator.cpu_percent)?;
        if let Some(late) = &generator.late {
            write!(
                f,
                ", requests sent p99 {:.1} ms, at most {:.1} ms after they were due",
                late.p99, late.max
            )?;
        }
        match &generator.bottleneck {
            Some(reason) => writeln!(f, "; IT WAS THE BOTTLENECK: {reason}"),
            None => writeln!(f),
        }
    }

    fn write_lag(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(lag) = &self.lag else { return Ok(()) };
        write!(
            f,
            "ingest to store p50 {:.0} ms, p95 {:.0} ms, p99 {:.0} ms, max {:.0} ms (from the rows in ClickHouse)",
            lag.p50, lag.p95, lag.p99, lag.max
        )?;
        match self.drain_ms {
            Some(drain) => writeln!(f, "; last row {drain:.0} ms after the last response"),
            None => writeln!(f),
        }
    }
}

/// The value of a threshold's metric, with its unit.
pub(super) fn measured(verdict: &Verdict) -> String {
    let Some(value) = verdict.value else {
        return "not measured".to_owned();
    };
    let threshold: Result<Threshold, _> = verdict.threshold.parse();
    let unit = match threshold.map(|threshold| threshold.unit()) {
        Ok(Unit::Time) => " ms",
        Ok(Unit::Percent) => " %",
        Ok(Unit::PerSecond) => " /s",
        Ok(Unit::Count) | Err(_) => "",
    };
    format!("{}{unit}", number(value))
}

/// A number with a sensible number of digits.
pub(super) fn number(value: f64) -> String {
    if value.abs() >= 100.0 || value.fract().abs() < 1e-9 {
        HumanFloatCount(value.round()).to_string()
    } else if value.abs() >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

fn line(quantiles: &Quantiles) -> String {
    let Quantiles {
        p50,
        p95,
        p99,
        p999,
        max,
        ..
    } = quantiles;
    format!(
        "p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms, p99.9 {p999:.1} ms, max {max:.1} ms"
    )
}

fn write_check(f: &mut fmt::Formatter<'_>, check: &Check) -> fmt::Result {
    writeln!(
        f,
        "checked {} facts, {} playbacks: lost {}, twice {}, claimed {}, different {}",
        HumanCount(check.facts),
        HumanCount(check.playbacks),
        check.lost.count,
        check.twice.count,
        check.claimed.count,
        check.different.count,
    )?;
    if check.unknown_stored + check.unknown_absent > 0 {
        let (stored, absent) = (check.unknown_stored, check.unknown_absent);
        writeln!(f, "outcome unknown: {stored} are stored, {absent} are not")?;
    }
    for (what, found) in differences(check) {
        for id in found.ids.iter().take(MAX_SHOWN) {
            writeln!(f, "  {what}: {id}")?;
        }
        let more = found.count.saturating_sub(MAX_SHOWN as u64);
        if more > 0 {
            writeln!(f, "  {what}: {} more", HumanCount(more))?;
        }
    }
    Ok(())
}

/// Each kind of difference, by name.
pub(super) fn differences(check: &Check) -> [(&'static str, &Differences); 4] {
    [
        ("lost", &check.lost),
        ("twice", &check.twice),
        ("claimed", &check.claimed),
        ("different", &check.different),
    ]
}
