//! Compares two reports: every figure of both, and the change. Never says which is better. Pure.

use std::fmt;

use super::Report;
use super::text::number;
use crate::scenario::threshold::METRICS;

/// Two reports side by side.
#[derive(Debug)]
pub struct Comparison {
    names: [String; 2],
    rows: Vec<(&'static str, Option<f64>, Option<f64>)>,
    differing: Vec<String>,
}

/// Compares two reports, figure by figure.
pub fn compare(before: &Report, after: &Report) -> Comparison {
    let rows = METRICS.iter().map(|(metric, _)| {
        let (before, after) = (before.value(metric), after.value(metric));
        (*metric, before, after)
    });
    let known =
        |(_, before, after): &(&str, Option<f64>, Option<f64>)| before.is_some() || after.is_some();
    let name = |report: &Report| format!("{} {}", report.name, report.test_id);
    Comparison {
        names: [name(before), name(after)],
        rows: rows.filter(known).collect(),
        differing: conditions(before, after),
    }
}

/// Conditions that differ: unless they are the subject of the comparison, the figures are not comparable.
fn conditions(before: &Report, after: &Report) -> Vec<String> {
    let mut differing = Vec::new();
    let machine =
        |report: &Report| format!("{}, {} cores", report.machine.cpu, report.machine.cores);
    let (one, other) = (machine(before), machine(after));
    if one != other {
        differing.push(format!("machine: {one} | {other}"));
    }
    let fields = |report: &Report| match serde_json::to_value(&report.scenario) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (one, other) = (fields(before), fields(after));
    for (name, value) in &one {
        let changed = other.get(name).filter(|other| *other != value);
        if let Some(changed) = changed.filter(|_| name != "test_id") {
            differing.push(format!("{name}: {value} | {changed}"));
        }
    }
    differing
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, after] = &self.names;
        writeln!(f, "A: {before}\nB: {after}")?;
        for line in &self.differing {
            writeln!(f, "differs: {line}")?;
        }
        writeln!(f, "{:<12} {:>12} {:>12} {:>10}", "", "A", "B", "change")?;
        for (metric, before, after) in &self.rows {
            let shown = |value: &Option<f64>| value.map_or("–".to_owned(), number);
            let change = match (before, after) {
                (Some(before), Some(after)) if *before > 0.0 => {
                    format!("{:+.1} %", 100.0 * (after - before) / before)
                }
                (Some(before), Some(after)) if before.total_cmp(after).is_eq() => "=".to_owned(),
                _ => String::new(),
            };
            writeln!(
                f,
                "{metric:<12} {:>12} {:>12} {change:>10}",
                shown(before),
                shown(after)
            )?;
        }
        Ok(())
    }
}
