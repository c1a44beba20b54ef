//! What was measured, as a table for people (Markdown, as docs/BENCHMARKS.md keeps it) and as JSON for keeping. It compares;
//! it measures nothing.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use crate::error::Result;
use crate::machine::Machine;
use crate::median::median;
use crate::run::{Mode, Run};

/// Everything that one `bench projector` found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    seed: u64,
    events: u64,
    runs: Vec<Run>,
}

impl Report {
    pub(crate) fn new(machine: Machine, seed: u64, events: u64, runs: Vec<Run>) -> Self {
        Self {
            machine,
            seed,
            events,
            runs,
        }
    }

    fn of(&self, mode: Mode) -> impl Iterator<Item = &Run> + Clone {
        self.runs.iter().filter(move |run| run.mode == mode)
    }

    /// Median of a mode's runs that have the value.
    fn middle(&self, mode: Mode, value: impl Fn(&Run) -> Option<f64>) -> Option<f64> {
        median(self.of(mode).filter_map(value))
    }

    fn rate(&self, mode: Mode) -> Option<f64> {
        self.middle(mode, |run| Some(run.rate()))
    }

    fn ratio(&self, mode: Mode, to: Mode) -> Option<f64> {
        Some(self.rate(mode)? / self.rate(to)?)
    }

    fn speeds(&self) -> Table {
        let mut table = table(&[
            "mode",
            "events/s (median)",
            "rounds",
            "of (b)",
            "of (c)",
            "inserts",
            "peak memory, MiB",
        ]);
        for mode in self.modes() {
            let rounds: Vec<_> = self.of(mode).map(|run| thousands(run.rate())).collect();
            table.add_row([
                mode.title().to_owned(),
                shown(self.rate(mode), thousands),
                rounds.join(", "),
                shown(self.ratio(mode, Mode::Ceiling), |ratio| {
                    format!("{ratio:.2}")
                }),
                shown(self.ratio(mode, Mode::KafkaEngine), |ratio| {
                    format!("{ratio:.1}")
                }),
                shown(
                    self.middle(mode, |run| Some(run.inserts? as f64)),
                    thousands,
                ),
                shown(
                    self.middle(mode, |run| Some(run.peak_bytes? as f64)),
                    mebibytes,
                ),
            ]);
        }
        table
    }

    fn costs(&self) -> Table {
        let mut table = table(&[
            "CPU µs an event (median)",
            "client",
            "ClickHouse",
            "ClickHouse until merged",
            "Kafka",
        ]);
        for mode in self.modes() {
            let cost = |value: &dyn Fn(&Run) -> Option<std::time::Duration>| {
                let each = self.middle(mode, |run| Some(run.per_event(value(run)?)));
                shown(each, |micros| format!("{micros:.2}"))
            };
            let has_client = mode != Mode::KafkaEngine;
            table.add_row([
                mode.title().to_owned(),
                cost(&|run| has_client.then_some(run.cpu.client)),
                cost(&|run| Some(run.cpu.clickhouse)),
                cost(&|run| run.clickhouse_until_merged),
                cost(&|run| Some(run.cpu.kafka)),
            ]);
        }
        table
    }

    fn modes(&self) -> Vec<Mode> {
        let mut modes: Vec<_> = self.runs.iter().map(|run| run.mode).collect();
        modes.sort_unstable();
        modes.dedup();
        modes
    }

    /// How much of the log the Kafka engine managed, and whether it is the same.
    fn engine(&self) -> Option<String> {
        let managed = self.middle(Mode::KafkaEngine, |run| Some(run.events as f64))?;
        let content = |mode| self.of(mode).find_map(|run| run.content.as_ref());
        let same = content(Mode::KafkaEngine)? == content(Mode::Projector)?;
        let rows = match (managed as u64 == self.events, same) {
            (true, true) => "the same rows as (a)",
            (true, false) => "NOT the same rows as (a)",
            (false, _) => "its time was over then",
        };
        let of = thousands(self.events as f64);
        Some(format!(
            "(c) stored {} of {of} events: {rows}",
            thousands(managed)
        ))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.machine.lines() {
            writeln!(f, "{line}")?;
        }
        let events = thousands(self.events as f64);
        writeln!(f, "log: {events} events, seed {}\n", self.seed)?;
        writeln!(f, "{}\n\n{}", self.speeds(), self.costs())?;
        match self.engine() {
            Some(engine) => writeln!(f, "\n{engine}"),
            None => Ok(()),
        }
    }
}

/// Prints a report, and writes it to `json` for keeping.
///
/// # Errors
/// A file that cannot be written.
pub(crate) fn publish(report: &(impl fmt::Display + Serialize), json: Option<&Path>) -> Result<()> {
    write!(io::stdout(), "{report}")?;
    if let Some(file) = json {
        fs::write(file, serde_json::to_string_pretty(report)?)?;
    }
    Ok(())
}

/// An empty table whose first column is of words, and the others of numbers.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn shown(value: Option<f64>, how: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), how)
}

fn mebibytes(bytes: f64) -> String {
    format!("{:.0}", bytes / f64::from(1 << 20))
}

/// A whole number, its digits in threes.
pub(crate) fn thousands(number: f64) -> String {
    indicatif::HumanCount(number.round() as u64).to_string()
}
