//! How a run goes, on standard error: a bar on a terminal, else a line now and then. Never on standard output, which holds the
//! report.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use crate::record::Recorded;
use crate::report::Sample;
use crate::scenario::{Model, Scenario};

/// Seconds between lines where there is no terminal.
const LINE_EVERY: u64 = 5;

/// Shows how a run goes.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    bar: Option<ProgressBar>,
    lasts: Option<Duration>,
    shown: Arc<AtomicU64>,
}

impl Live {
    pub(crate) fn new(scenario: &Scenario, name: &str) -> Self {
        let lasts = lasts(scenario);
        let bar = io::stderr().is_terminal().then(|| bar(lasts, name));
        Self {
            bar,
            lasts,
            shown: Arc::default(),
        }
    }

    /// One second more.
    pub(crate) fn show(&self, sample: &Sample, so_far: &Recorded) {
        let text = describe(sample, so_far);
        if let Some(bar) = &self.bar {
            bar.set_position(sample.at_s as u64);
            bar.set_message(text.join("\n"));
        } else if self
            .shown
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(LINE_EVERY)
        {
            let all = self
                .lasts
                .map_or(String::new(), |all| format!("/{:.0}", all.as_secs_f64()));
            say(&format!("{:.0}{all} s: {}", sample.at_s, text.join(", ")));
        }
    }

    /// What is done once all was sent.
    pub(crate) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => say(text),
        }
    }

    /// Clears the bar, so that the report stands alone.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn lasts(scenario: &Scenario) -> Option<Duration> {
    match scenario.model {
        Model::Players => None,
        Model::Open | Model::Closed => Some(scenario.levels().lasts()),
    }
}

fn bar(lasts: Option<Duration>, name: &str) -> ProgressBar {
    let (bar, template) = match lasts {
        Some(lasts) => (
            ProgressBar::new(lasts.as_secs()),
            "{prefix} {wide_bar} {pos}/{len} s\n{msg}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{prefix} {spinner} {pos} s\n{msg}",
        ),
    };
    let style = ProgressStyle::with_template(template);
    // The templates are fixed, so neither is ever refused.
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_prefix(name.to_owned())
}

/// What it sends and how it is answered; what is open. Each fits into a terminal of 80 columns.
fn describe(sample: &Sample, so_far: &Recorded) -> [String; 2] {
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
        HumanCount(so_far.failed),
        HumanCount(sample.in_flight),
    );
    if let Some(lag) = sample.projector_lag {
        open = format!("{open}, projector behind {}", HumanCount(lag as u64));
    }
    [sent, open]
}

fn say(text: &str) {
    // A run goes on although nobody reads how it goes.
    let _ = writeln!(io::stderr(), "{text}");
}
