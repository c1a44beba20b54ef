//! How far a rebuild has come, for whoever watches: a bar on a terminal, else a line every few seconds. It measures nothing
//! but what it is told.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::command::say;

const LINE_EVERY: Duration = Duration::from_secs(5);
const TEMPLATE: &str = "{bar:40} {human_pos} of {human_len} events, {per_sec}, {eta} left";

/// One stretch of the log, from where it was when first told to `total`.
pub(super) struct Told {
    bar: ProgressBar,
    total: u64,
    first: Option<u64>,
    since: Instant,
    line: Instant,
}

impl Told {
    pub(super) fn new(total: u64) -> Self {
        let style = ProgressStyle::with_template(TEMPLATE);
        let bar = ProgressBar::new(total);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            bar,
            total,
            first: None,
            since: Instant::now(),
            line: Instant::now(),
        }
    }

    /// It has come this far.
    pub(super) fn at(&mut self, reached: u64) {
        let first = *self.first.get_or_insert(reached);
        if first == reached {
            // What was there before is no speed.
            self.bar.reset_eta();
        }
        self.bar.set_position(reached);
        if self.bar.is_hidden() && self.line.elapsed() >= LINE_EVERY {
            self.line = Instant::now();
            say(&line(
                reached,
                self.total,
                reached - first,
                self.since.elapsed(),
            ));
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn line(reached: u64, total: u64, done: u64, took: Duration) -> String {
    let per_second = done as f64 / took.as_secs_f64();
    let left = match per_second {
        0.0 => "time left unknown".to_owned(),
        _ => format!("{:.0} s left", (total - reached) as f64 / per_second),
    };
    format!("{reached} of {total} events, {per_second:.0} events/s, {left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_counts_only_what_this_run_did() {
        let told = line(600, 1_000, 100, Duration::from_secs(2));
        assert_eq!(told, "600 of 1000 events, 50 events/s, 8 s left");
        let told = line(600, 1_000, 0, Duration::from_secs(2));
        assert_eq!(told, "600 of 1000 events, 0 events/s, time left unknown");
    }
}
