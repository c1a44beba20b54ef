//! `bench predecessor`: the predecessor's load test beside its own figures, then a steady run at its target rate, then a search for
//! the highest rate that meets the same bounds. `ess-load run` sends, measures and proves; this module starts the services and
//! compares the reports.

mod origin;
mod search;
mod stack;

use std::fmt;
use std::path::{Path, PathBuf};

use ess_load::report::{self, Report};
use ess_parts::Scratch;
use ess_parts::progress::note;
use serde::Serialize;
use tokio::process::Command;

use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::projector::binary;
use crate::report::{publish, table};
use crate::servers::Servers;

use search::Attempt;
use stack::Stack;

/// Duration of the predecessor's test, s.
const WHOLE: f64 = 210.0;
/// Its target, requests per second.
const GOAL: f64 = 3_500.0;

/// Arguments of `predecessor`.
#[derive(Debug, clap::Args)]
pub(crate) struct PredecessorArgs {
    #[command(flatten)]
    servers: Servers,
    /// Duration of the predecessor's test and of the steady run, s; shorter runs are only for testing the benchmark
    #[arg(long, default_value_t = 210, value_parser = clap::value_parser!(u64).range(5..=3_600))]
    seconds: u64,
    /// Duration of each rate of the search, s; 0 skips the search
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(0..=3_600))]
    search_seconds: u64,
    /// Save the reports of all runs, as JSON and HTML, in this folder
    #[arg(long, value_name = "DIR")]
    reports: Option<PathBuf>,
    /// Write Markdown and plots for docs/ into this folder
    #[arg(long, value_name = "DIR")]
    docs: Option<PathBuf>,
    /// Also write all measurements to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// The report of `bench predecessor`.
#[derive(Debug, Serialize)]
struct PredecessorReport {
    machine: Machine,
    seconds: u64,
    predecessor: Report,
    steady: Report,
    search_seconds: u64,
    search: Vec<Attempt>,
}

/// Runs the benchmark.
///
/// # Errors
/// Any failure of a run. A bound that is not met is not an error.
pub(crate) async fn run(args: PredecessorArgs) -> Result<()> {
    let machine = Machine::read(&args.servers).await?;
    let scratch = Scratch::new()?;
    let stack = Stack::start(&args.servers, scratch.path()).await?;
    let measured = measure(&args, &stack, scratch.path()).await;
    stack.stop()?;
    let (predecessor, steady, search) = measured?;
    let found = PredecessorReport {
        machine,
        seconds: args.seconds,
        predecessor,
        steady,
        search_seconds: args.search_seconds,
        search,
    };
    publish(&found, args.json.as_deref())
}

async fn measure(
    args: &PredecessorArgs,
    stack: &Stack,
    scratch: &Path,
) -> Result<(Report, Report, Vec<Attempt>)> {
    let runs = Runs {
        stack,
        folder: args.reports.clone().unwrap_or_else(|| scratch.to_owned()),
        docs: args.docs.clone(),
    };
    let predecessor = runs
        .run("predecessor", "predecessor", &shortened(args.seconds))
        .await?;
    let rate = [format!("stages.0.for={}s", args.seconds)];
    let steady = runs.run("steady", "steady", &rate).await?;
    let search = match args.search_seconds {
        0 => Vec::new(),
        seconds => search::search(&runs, seconds, GOAL, steady.is_green()).await?,
    };
    Ok((predecessor, steady, search))
}

/// The predecessor's stages, scaled to `seconds`.
fn shortened(seconds: u64) -> Vec<String> {
    let factor = seconds as f64 / WHOLE;
    let stages = [60.0, 90.0, 30.0, 30.0].into_iter().enumerate();
    let each = |(at, lasts): (usize, f64)| {
        format!("stages.{at}.for={}ms", (lasts * factor * 1_000.0).round())
    };
    stages.map(each).collect()
}

/// Runs of `ess-load` against one stack.
struct Runs<'a> {
    stack: &'a Stack,
    folder: PathBuf,
    docs: Option<PathBuf>,
}

impl Runs<'_> {
    /// Runs a scenario and reads its report. A run with failed thresholds also has a report.
    async fn run(&self, scenario: &str, name: &str, settings: &[String]) -> Result<Report> {
        note(&format!("ess-load run {scenario} {}", settings.join(" ")));
        let json = self.folder.join(format!("{name}.json"));
        let mut load = Command::new(binary("ess-load")?);
        load.args(["run", scenario, "--run-dir", "/nonexistent"])
            .args(self.stack.options())
            .arg("--json")
            .arg(&json)
            .arg("--html")
            .arg(self.folder.join(format!("{name}.html")))
            .stdout(std::process::Stdio::null());
        if let (Some(folder), true) = (&self.docs, name == scenario) {
            load.arg("--docs").arg(folder);
        }
        for setting in settings {
            load.args(["--set", setting]);
        }
        let ended = load.status().await?;
        if !matches!(ended.code(), Some(0 | 1)) {
            return Err(Error::message(format!("ess-load run {scenario}: {ended}")));
        }
        Report::read(&json).map_err(|error| Error::message(error.to_string()))
    }
}

impl fmt::Display for PredecessorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.machine.lines() {
            writeln!(f, "{line}")?;
        }
        if self.seconds as f64 != WHOLE {
            writeln!(
                f,
                "SHORTENED to {} s: these figures are not valid",
                self.seconds
            )?;
        }
        writeln!(
            f,
            "\n{}\n",
            origin::comparison(&self.predecessor, &self.steady)
        )?;
        let mut goals = table(&["goal, 3,500 requests/s steady", "measured", "met"]);
        for verdict in &self.steady.verdicts {
            let measured = verdict
                .value
                .map_or("–".to_owned(), |value| format!("{value:.1}"));
            let met = if verdict.held { "yes" } else { "NO" };
            goals.add_row([verdict.threshold.clone(), measured, met.to_owned()]);
        }
        writeln!(f, "{goals}\n")?;
        if let Some(reason) = &self.steady.generator.bottleneck {
            writeln!(f, "the generator was the bottleneck: {reason}\n")?;
        }
        search::write(f, &self.search, self.search_seconds)
    }
}

/// The failed thresholds of a report.
fn broken(report: &report::Report) -> String {
    let broken: Vec<_> = report
        .verdicts
        .iter()
        .filter(|verdict| !verdict.held)
        .collect();
    let each = broken.iter().map(|verdict| match verdict.value {
        Some(value) => format!("{} ({value:.1})", verdict.threshold),
        None => format!("{} (not measured)", verdict.threshold),
    });
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_test_has_the_stages_of_the_predecessor() {
        let expected = ["60000", "90000", "30000", "30000"].into_iter().enumerate();
        let expected: Vec<_> = expected
            .map(|(at, ms)| format!("stages.{at}.for={ms}ms"))
            .collect();
        assert_eq!(shortened(210), expected);
        assert_eq!(shortened(21)[0], "stages.0.for=6000ms");
    }
}
