//! How far a run is, on standard error: a bar on a terminal, else a line now and then. Never on standard output, which
//! holds the summary.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use tokio::time::Instant;

use crate::tally::Counts;

/// Shows how far a run is.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    begin: Instant,
    playbacks: u64,
}

impl Progress {
    pub(crate) fn new(playbacks: u64, begin: Instant) -> Self {
        let bar = io::stderr().is_terminal().then(|| bar(playbacks));
        Self {
            bar,
            begin,
            playbacks,
        }
    }

    /// How often it is worth showing.
    pub(crate) fn interval(&self) -> Duration {
        match self.bar {
            Some(_) => Duration::from_millis(100),
            None => Duration::from_secs(2),
        }
    }

    pub(crate) fn show(&self, counts: &Counts) {
        let text = describe(counts, self.begin.elapsed());
        if let Some(bar) = &self.bar {
            bar.set_position(counts.playbacks);
            bar.set_message(text);
        } else {
            let (done, all) = (HumanCount(counts.playbacks), HumanCount(self.playbacks));
            // A run goes on although nobody reads how far it is.
            let _ = writeln!(io::stderr(), "{done} of {all} playbacks, {text}");
        }
    }

    /// Clears the bar, so that the summary stands alone.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(playbacks: u64) -> ProgressBar {
    let template = "{bar:24} {pos}/{len} playbacks, eta {eta}, {wide_msg}";
    let style = ProgressStyle::with_template(template);
    // The template is fixed, so it is never refused.
    ProgressBar::new(playbacks).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn describe(counts: &Counts, elapsed: Duration) -> String {
    let pace = counts.acknowledged as f64 / elapsed.as_secs_f64().max(0.001);
    let mut text = format!(
        "{} events, {}/s, p99 {:.0} ms",
        HumanCount(counts.acknowledged),
        HumanCount(pace as u64),
        counts.latency_us.value_at_quantile(0.99) as f64 / 1_000.0,
    );
    let more = [
        ("under way", counts.unacknowledged()),
        ("refused", counts.refused()),
        ("repeated", counts.repeats),
    ];
    for (name, count) in more.into_iter().filter(|(_, count)| *count > 0) {
        text = format!("{text}, {name} {}", HumanCount(count));
    }
    text
}
