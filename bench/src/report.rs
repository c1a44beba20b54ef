//! The report of `bench projector` as Markdown tables (as in docs/BENCHMARKS.md) and as JSON, and how all reports are published.
//! Never measures anything.

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

/// The report of `bench projector`.
#[derive(Debug, Serialize)]
pub(crate) struct ProjectorReport {
    machine: Machine,
    seed: u64,
    events: u64,
    runs: Vec<Run>,
}

impl ProjectorReport {
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

    /// The median over the runs of a mode that have the value.
    fn median(&self, mode: Mode, value: impl Fn(&Run) -> Option<f64>) -> Option<f64> {
        median(self.of(mode).filter_map(value))
    }

    fn rate(&self, mode: Mode) -> Option<f64> {
        self.median(mode, |run| Some(run.rate()))
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
                format_value(self.rate(mode), thousands),
                rounds.join(", "),
                format_value(self.ratio(mode, Mode::Ceiling), |ratio| {
                    format!("{ratio:.2}")
                }),
                format_value(self.ratio(mode, Mode::KafkaEngine), |ratio| {
                    format!("{ratio:.1}")
                }),
                format_value(
                    self.median(mode, |run| Some(run.inserts? as f64)),
                    thousands,
                ),
                format_value(
                    self.median(mode, |run| Some(run.peak_bytes? as f64)),
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
                let each = self.median(mode, |run| Some(run.per_event(value(run)?)));
                format_value(each, |micros| format!("{micros:.2}"))
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

    /// The rows that the Kafka engine stored, and whether they are those of the projector.
    fn engine(&self) -> Option<String> {
        let managed = self.median(Mode::KafkaEngine, |run| Some(run.events as f64))?;
        let content = |mode| self.of(mode).find_map(|run| run.content.as_ref());
        let same = content(Mode::KafkaEngine)? == content(Mode::Projector)?;
        let rows = match (managed as u64 == self.events, same) {
            (true, true) => "the same rows as (a)",
            (true, false) => "NOT the same rows as (a)",
            (false, _) => "it reached its time limit",
        };
        let of = thousands(self.events as f64);
        Some(format!(
            "(c) stored {} of {of} events: {rows}",
            thousands(managed)
        ))
    }
}

impl fmt::Display for ProjectorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.machine.lines() {
            writeln!(f, "{line}")?;
        }
        let events = thousands(self.events as f64);
        writeln!(f, "topic: {events} events, seed {}\n", self.seed)?;
        writeln!(f, "{}\n\n{}", self.speeds(), self.costs())?;
        match self.engine() {
            Some(engine) => writeln!(f, "\n{engine}"),
            None => Ok(()),
        }
    }
}

/// Prints a report, and writes it to the file `json`.
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

/// An empty table with text in the first column and numbers in the others.
pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn format_value(value: Option<f64>, format: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), format)
}

fn mebibytes(bytes: f64) -> String {
    format!("{:.0}", bytes / f64::from(1 << 20))
}

/// A whole number with thousands separators.
pub(crate) fn thousands(number: f64) -> String {
    indicatif::HumanCount(number.round() as u64).to_string()
}
