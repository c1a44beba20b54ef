//! The report of `bench query`, as tables and as JSON.

use std::fmt;

use comfy_table::Table;
use serde::Serialize;

use super::goals::{Verdict, live, verdicts};
use super::live::Folded;
use super::phase::{Phase, Size};
use super::results::{Measured, Results};
use super::staleness::Staleness;
use crate::http::latencies::Latencies;
use crate::machine::Machine;
use crate::median::median;
use crate::report::{table, thousands};

/// The report of `bench query`.
#[derive(Debug, Serialize)]
pub(super) struct QueryReport {
    pub(super) machine: Machine,
    pub(super) seed: u64,
    pub(super) playbacks: u64,
    pub(super) filled: Vec<Phase>,
    pub(super) tables: Vec<Size>,
    pub(super) live: Folded,
    pub(super) staleness: Staleness,
    pub(super) results: Results,
    pub(super) verdicts: Vec<Verdict>,
}

impl QueryReport {
    /// Adds the verdicts.
    pub(super) fn with_verdicts(mut self) -> Self {
        self.verdicts = verdicts(&self.results);
        self.verdicts.push(live(self.staleness));
        self
    }

    fn goals(&self) -> Table {
        let mut table = table(&["measured", "value (median)", "goal", "met"]);
        for verdict in &self.verdicts {
            let met = match verdict.is_met() {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "–",
            };
            table.add_row([
                verdict.what.clone(),
                format!("{} {}", figure(verdict.value), verdict.unit),
                verdict.goal.to_string(),
                met.to_owned(),
            ]);
        }
        table
    }

    fn latencies(&self) -> Table {
        let mut table = table(&[
            "measured (medians)",
            "clients",
            "p50, ms",
            "p99, ms",
            "requests/s",
            "CPU µs each: client",
            "server",
            "p50 of the rounds, ms",
        ]);
        for measured in &self.results.0 {
            let rounds: Vec<_> = measured
                .rounds
                .iter()
                .map(|round| figure(round.p50))
                .collect();
            table.add_row([
                measured.name.clone(),
                measured.clients.to_string(),
                median_of(measured, |round| Some(round.p50)),
                median_of(measured, |round| Some(round.p99)),
                median_of(measured, |round| Some(round.rate)),
                median_of(measured, |round| round.cost.map(|cost| cost.client)),
                median_of(measured, |round| round.cost.map(|cost| cost.server)),
                rounds.join(", "),
            ]);
        }
        table
    }

    fn sizes(&self) -> Table {
        let mut table = table(&["table", "rows", "parts", "MiB"]);
        for Size {
            table: name,
            rows,
            parts,
            bytes,
        } in &self.tables
        {
            table.add_row([
                name.clone(),
                thousands(*rows as f64),
                parts.to_string(),
                thousands(*bytes as f64 / f64::from(1 << 20)),
            ]);
        }
        table
    }
}

impl fmt::Display for QueryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.machine.lines() {
            writeln!(f, "{line}")?;
        }
        let playbacks = thousands(self.playbacks as f64);
        write!(f, "read model: {playbacks} playbacks, seed {}", self.seed)?;
        for Phase { name, took } in &self.filled {
            write!(f, "; {name} {:.0} s", took.as_secs_f64())?;
        }
        let Folded {
            appended_per_second,
            stored_per_second,
            ages,
        } = self.live;
        writeln!(
            f,
            "\nbackground load: {appended_per_second:.0} events/s appended, {stored_per_second:.0} stored; ingest to store \
             p50 {} ms, p99 {} ms, max {} ms; staleness of playbacks: median {:.0} ms, max {} ms",
            ages.p50, ages.p99, ages.max, self.staleness.median, self.staleness.max
        )?;
        writeln!(
            f,
            "\n{}\n\n{}\n\n{}",
            self.goals(),
            self.latencies(),
            self.sizes()
        )
    }
}

fn median_of(measured: &Measured, value: impl Fn(&Latencies) -> Option<f64>) -> String {
    let values = measured.rounds.iter().filter_map(value);
    median(values).map_or_else(|| "–".to_owned(), figure)
}

/// Formats with three significant digits.
fn figure(value: f64) -> String {
    match value {
        value if value >= 100.0 => thousands(value),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}
