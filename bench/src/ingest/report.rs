//! What `bench ingest` found: medians, ratios to the yardsticks, the goals, and where the CPU time went.

use std::fmt;

use comfy_table::Table;
use serde::Serialize;

use super::measure::{AIMED_AT, BATCHERS, CONNECTIONS};
use crate::http::latencies::Latencies;
use crate::machine::Machine;
use crate::median::median;
use crate::report::{table, thousands};

/// Requests a second that the predecessor took on two cores, its own queue and all.
const PREDECESSOR: f64 = 646.0;

/// What a figure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Of {
    /// The route that only parses, at so many connections.
    Parse(u64),
    /// One fact a request, at so many connections.
    Single(u64),
    /// One request after the other.
    Idle,
    /// Due at half of the highest rate.
    Half,
    /// 500 facts a request.
    Batches,
    /// Kafka's own producer.
    Producer,
}

/// One measurement.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Figure {
    /// Events a second.
    pub(super) rate: f64,
    latencies: Option<Latencies>,
    spent: Option<Spent>,
}

/// CPU, in cores.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Spent {
    pub(super) generator: f64,
    pub(super) server: f64,
    pub(super) kafka: f64,
}

impl Figure {
    /// Of requests that bring so many events each.
    pub(super) fn of(latencies: Latencies, events: u64, spent: Spent) -> Self {
        Self {
            rate: latencies.rate * events as f64,
            latencies: Some(latencies),
            spent: Some(spent),
        }
    }

    /// Of what tells its rate only.
    pub(super) fn rate(rate: f64) -> Self {
        Self {
            rate,
            latencies: None,
            spent: None,
        }
    }
}

/// Everything that one `bench ingest` found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    machine: Machine,
    seconds: u64,
    figures: Vec<(Of, Figure)>,
}

impl Report {
    pub(super) fn new(machine: Machine, seconds: u64) -> Self {
        Self {
            machine,
            seconds,
            figures: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, of: Of, figure: Figure) {
        self.figures.push((of, figure));
    }

    /// The median rate so far.
    pub(super) fn rate(&self, of: Of) -> Option<f64> {
        self.middle(of, |figure| Some(figure.rate))
    }

    fn all(&self, of: Of) -> impl Iterator<Item = &Figure> {
        let same = move |(which, _): &&(Of, Figure)| *which == of;
        self.figures.iter().filter(same).map(|(_, figure)| figure)
    }

    fn middle(&self, of: Of, value: impl Fn(&Figure) -> Option<f64>) -> Option<f64> {
        median(self.all(of).filter_map(value))
    }

    fn p50(&self, of: Of) -> Option<f64> {
        self.middle(of, |figure| Some(figure.latencies?.p50))
    }

    fn p99(&self, of: Of) -> Option<f64> {
        self.middle(of, |figure| Some(figure.latencies?.p99))
    }

    fn ratio(&self, of: Of, to: Of) -> Option<f64> {
        Some(self.rate(of)? / self.rate(to)?)
    }

    fn goals(&self) -> Table {
        let mut table = table(&["goal", "value (median)", "aimed at", "met"]);
        let single = Of::Single(AIMED_AT);
        let least = |value: Option<f64>, bound: f64| value.map(|value| (value, value >= bound));
        let most = |value: Option<f64>, bound: f64| value.map(|value| (value, value <= bound));
        let times = self.rate(single).map(|rate| rate / PREDECESSOR);
        for (what, found, aimed_at) in [
            (
                format!(
                    "one fact a request, {AIMED_AT} connections, of the route that only parses"
                ),
                least(self.ratio(single, Of::Parse(AIMED_AT)), 0.6),
                "≥ 0.6 ×",
            ),
            (
                format!("the same, of the predecessor's {PREDECESSOR}/s"),
                least(times, 35.0),
                "≥ 35 ×",
            ),
            (
                "p99 at half that rate, ms from when due".to_owned(),
                most(self.p99(Of::Half), 25.0),
                "≤ 25",
            ),
            (
                "500 facts a request, of Kafka's own producer".to_owned(),
                least(self.ratio(Of::Batches, Of::Producer), 2.0),
                "≥ 2 ×",
            ),
            (
                "one request after the other, p50, ms".to_owned(),
                most(self.p50(Of::Idle), 3.0),
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
            .flat_map(|connections| [Of::Parse(connections), Of::Single(connections)]);
        for of in singles.chain([Of::Half, Of::Idle, Of::Batches, Of::Producer]) {
            let rounds: Vec<_> = self.all(of).map(|figure| thousands(figure.rate)).collect();
            let of_spent = |value: fn(Spent) -> f64| {
                shown(self.middle(of, |figure| Some(value(figure.spent?))), 2)
            };
            table.add_row([
                of.to_string(),
                self.rate(of).map_or("–".to_owned(), thousands),
                rounds.join(", "),
                shown(self.p50(of), 2),
                shown(self.p99(of), 2),
                of_spent(|spent| spent.generator),
                of_spent(|spent| spent.server),
                of_spent(|spent| spent.kafka),
            ]);
        }
        table
    }
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse(connections) => write!(f, "only parsed, {connections} connections"),
            Self::Single(connections) => {
                write!(f, "one fact a request, {connections} connections")
            }
            Self::Idle => write!(f, "one request after the other"),
            Self::Half => write!(f, "due at half the rate of {AIMED_AT} connections"),
            Self::Batches => write!(f, "500 facts a request, {BATCHERS} connections"),
            Self::Producer => write!(f, "Kafka's ProducerPerformance"),
        }
    }
}

impl fmt::Display for Report {
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
