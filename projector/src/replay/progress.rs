//! Shows the progress of a rebuild: a bar on a terminal, else a line every few seconds. It must never query the progress itself.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::command::print;

const LINE_INTERVAL: Duration = Duration::from_secs(5);
const TEMPLATE: &str = "{bar:40} {human_pos} of {human_len} events, {per_sec}, {eta} left";

/// The progress from the first reported position to `total`.
pub(super) struct ReplayProgress {
    bar: ProgressBar,
    total: u64,
    first: Option<u64>,
    start: Instant,
    last_line: Instant,
}

impl ReplayProgress {
    pub(super) fn new(total: u64) -> Self {
        let style = ProgressStyle::with_template(TEMPLATE);
        let bar = ProgressBar::new(total);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            bar,
            total,
            first: None,
            start: Instant::now(),
            last_line: Instant::now(),
        }
    }

    /// Reports the current position.
    pub(super) fn set(&mut self, position: u64) {
        let first = *self.first.get_or_insert(position);
        if first == position {
            // Events of an earlier run do not count for the speed.
            self.bar.reset_eta();
        }
        self.bar.set_position(position);
        if self.bar.is_hidden() && self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            let done = position - first;
            print(&line(position, self.total, done, self.start.elapsed()));
        }
    }
}

impl Drop for ReplayProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn line(position: u64, total: u64, done: u64, elapsed: Duration) -> String {
    let per_second = done as f64 / elapsed.as_secs_f64();
    let left = match per_second {
        0.0 => "time left unknown".to_owned(),
        _ => format!("{:.0} s left", (total - position) as f64 / per_second),
    };
    format!("{position} of {total} events, {per_second:.0} events/s, {left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_counts_only_events_of_this_run() {
        let text = line(600, 1_000, 100, Duration::from_secs(2));
        assert_eq!(text, "600 of 1000 events, 50 events/s, 8 s left");
        let text = line(600, 1_000, 0, Duration::from_secs(2));
        assert_eq!(text, "600 of 1000 events, 0 events/s, time left unknown");
    }
}
