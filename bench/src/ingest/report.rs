//! The report of `bench ingest`: medians, ratios to the yardsticks, goals, and CPU time.

use std::fmt;

use comfy_table::Table;
use serde::Serialize;

use super::figure::{CONNECTIONS, Case, CpuCores, Figure, GOAL_CONNECTIONS};
use crate::machine::Machine;
use crate::median::median;
use crate::report::{table, thousands};

/// Requests per second of the predecessor on two cores, including its queue.
const PREDECESSOR: f64 = 646.0;

/// The report of `bench ingest`.
#[derive(Debug, Serialize)]
pub(super) struct IngestReport {
    machine: Machine,
    seconds: u64,
    figures: Vec<(Case, Figure)>,
}

impl IngestReport {
    pub(super) fn new(machine: Machine, seconds: u64) -> Self {
        Self {
            machine,
            seconds,
            figures: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, of: Case, figure: Figure) {
        self.figures.push((of, figure));
    }

    /// The median rate.
    pub(super) fn rate(&self, of: Case) -> Option<f64> {
        self.median(of, |figure| Some(figure.rate))
    }

    fn all(&self, of: Case) -> impl Iterator<Item = &Figure> {
        let same = move |(which, _): &&(Case, Figure)| *which == of;
        self.figures.iter().filter(same).map(|(_, figure)| figure)
    }

    fn median(&self, of: Case, value: impl Fn(&Figure) -> Option<f64>) -> Option<f64> {
        median(self.all(of).filter_map(value))
    }

    fn p50(&self, of: Case) -> Option<f64> {
        self.median(of, |figure| Some(figure.latencies?.p50))
    }

    fn p99(&self, of: Case) -> Option<f64> {
        self.median(of, |figure| Some(figure.latencies?.p99))
    }

    fn ratio(&self, of: Case, to: Case) -> Option<f64> {
        Some(self.rate(of)? / self.rate(to)?)
    }

    fn goals(&self) -> Table {
        let mut table = table(&["measured", "value (median)", "goal", "met"]);
        let single = Case::Single(GOAL_CONNECTIONS);
        let within_min =
            |value: Option<f64>, bound: f64| value.map(|value| (value, value >= bound));
        let within_max =
            |value: Option<f64>, bound: f64| value.map(|value| (value, value <= bound));
        let times = self.rate(single).map(|rate| rate / PREDECESSOR);
        for (what, found, aimed_at) in [
            (
                format!(
                    "one event a request, {GOAL_CONNECTIONS} connections ÷ the route that only parses"
                ),
                within_min(self.ratio(single, Case::Parse(GOAL_CONNECTIONS)), 0.6),
                "≥ 0.6 ×",
            ),
            (
                format!("the same ÷ the predecessor's {PREDECESSOR}/s"),
                within_min(times, 35.0),
                "≥ 35 ×",
            ),
            (
                "p99 at half that rate, ms from the due time".to_owned(),
                within_max(self.p99(Case::Half), 25.0),
                "≤ 25",
            ),
            (
                "500 events a request ÷ Kafka's own producer".to_owned(),
                within_min(self.ratio(Case::Batches, Case::Producer), 2.0),
                "≥ 2 ×",
            ),
            (
                "one request after the other, p50, ms".to_owned(),
                within_max(self.p50(Case::Idle), 3.0),
                "≤ 3",
            ),
        ] {
            let (value, met) = found.map_or(("–".to_owned(), "–"), |(value, is_met)| {
                (format!("{value:.2}"), if is_met { "yes" } else { "NO" })
            });
            table.add_row([what, value, aimed_at.to_owned(), met.to_owned()]);
        }
        table
    }

    fn rows(&self) -> Table {
        let mut table = table(&[
            "measured (medians)",
            "events/s",
            "rounds",
            "p50, ms",
            "p99, ms",
            "cores: generator",
            "server",
            "Kafka",
        ]);
        let singles = CONNECTIONS
            .into_iter()
            .flat_map(|connections| [Case::Parse(connections), Case::Single(connections)]);
        for of in singles.chain([Case::Half, Case::Idle, Case::Batches, Case::Producer]) {
            let rounds: Vec<_> = self.all(of).map(|figure| thousands(figure.rate)).collect();
            let cores = |value: fn(CpuCores) -> f64| {
                format_value(self.median(of, |figure| Some(value(figure.cores?))), 2)
            };
            table.add_row([
                of.to_string(),
                self.rate(of).map_or("–".to_owned(), thousands),
                rounds.join(", "),
                format_value(self.p50(of), 2),
                format_value(self.p99(of), 2),
                cores(|cores| cores.generator),
                cores(|cores| cores.server),
                cores(|cores| cores.kafka),
            ]);
        }
        table
    }
}

fn format_value(value: Option<f64>, digits: usize) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
}

impl fmt::Display for IngestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.machine.lines() {
            writeln!(f, "{line}")?;
        }
        let seconds = self.seconds;
        writeln!(
            f,
            "each measurement {seconds} s\n\n{}\n\n{}",
            self.goals(),
            self.rows()
        )
    }
}
