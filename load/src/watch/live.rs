//! The live view of a run on standard error: a bar on a terminal, else a line every few seconds. Never writes to standard output,
//! which is for the report.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use crate::record::Record;
use crate::report::Sample;
use crate::scenario::{Model, Scenario};

/// Seconds between lines where there is no terminal.
const LINE_INTERVAL: u64 = 5;

/// Shows the progress of a run.
#[derive(Debug, Clone)]
pub(crate) struct LiveView {
    bar: Option<ProgressBar>,
    goal: Goal,
    samples: Arc<AtomicU64>,
}

/// When a run is complete.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// After this time.
    Time(Duration),
    /// When so many playbacks are sent.
    Playbacks(u64),
}

impl Goal {
    /// The goal of a scenario.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        match scenario.model {
            Model::Players => Self::Playbacks(scenario.playbacks),
            Model::Open | Model::Closed => Self::Time(scenario.levels().duration()),
        }
    }

    /// What is reached, what there is in all, and the unit of both.
    fn progress(self, sample: &Sample, record: &Record) -> (u64, u64, &'static str) {
        match self {
            Self::Time(all) => (sample.at_s as u64, all.as_secs(), "s"),
            Self::Playbacks(all) => (record.playbacks, all, "playbacks"),
        }
    }
}

impl LiveView {
    /// A view of the run `name`.
    pub(crate) fn new(name: &str, goal: Goal) -> Self {
        let bar = io::stderr().is_terminal().then(|| bar(goal, name));
        Self {
            bar,
            goal,
            samples: Arc::default(),
        }
    }

    /// Shows one more sample.
    pub(crate) fn show(&self, sample: &Sample, record: &Record) {
        let lines = describe(sample, record);
        let (done, all, unit) = self.goal.progress(sample, record);
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(lines.join("\n"));
            return;
        }
        let count = self.samples.fetch_add(1, Ordering::Relaxed);
        if count.is_multiple_of(LINE_INTERVAL) {
            let (done, all) = (HumanCount(done), HumanCount(all));
            write(&format!("{done}/{all} {unit}: {}", lines.join(", ")));
        }
    }

    /// Shows what happens after the sending.
    pub(crate) fn message(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => write(text),
        }
    }

    /// Clears the bar, before the report is printed.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(goal: Goal, name: &str) -> ProgressBar {
    let (all, template) = match goal {
        Goal::Time(all) => (all.as_secs(), "{prefix} {wide_bar} {pos}/{len} s\n{msg}"),
        Goal::Playbacks(all) => (
            all,
            "{prefix} {wide_bar} {human_pos}/{human_len} playbacks, eta {eta}\n{msg}",
        ),
    };
    let style = ProgressStyle::with_template(template);
    // The templates are fixed and valid.
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(all)
        .with_style(style)
        .with_prefix(name.to_owned())
}

/// Throughput and latency; what is open. Each line fits into a terminal of 80 columns.
fn describe(sample: &Sample, record: &Record) -> [String; 2] {
    let mut sent = format!(
        "{}/s, p50 {:.1} p95 {:.1} p99 {:.1} ms",
        HumanCount(sample.requests_per_s as u64),
        sample.p50,
        sample.p95,
        sample.p99,
    );
    if sample.users > 0 {
        sent = format!("{} users, {sent}", HumanCount(sample.users));
    }
    let mut open = format!(
        "errors {}, in flight {}",
        HumanCount(record.failed),
        HumanCount(sample.in_flight),
    );
    if record.retries > 0 {
        open = format!("{open}, retries {}", HumanCount(record.retries));
    }
    if let Some(lag) = sample.projector_lag {
        open = format!("{open}, projector lag {}", HumanCount(lag as u64));
    }
    [sent, open]
}

fn write(text: &str) {
    // A run continues when standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
}
