//! Shows the progress of a rebuild: a bar on a terminal, else a line every few seconds. It must never query the progress itself.

use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use crate::command::print;

const LINE_INTERVAL: Duration = Duration::from_secs(5);
const TEMPLATE: &str = "{bar:40} {human_pos} of {human_len} events, {per_sec}, {eta} left";

/// The progress from the first reported position to the total.
pub(super) struct ReplayProgress {
    bar: ProgressBar,
    is_first: bool,
    last_line: Instant,
}

impl ReplayProgress {
    pub(super) fn new(total: u64) -> Self {
        let style = ProgressStyle::with_template(TEMPLATE);
        let bar = ProgressBar::new(total);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            bar,
            is_first: true,
            last_line: Instant::now(),
        }
    }

    /// Reports the current position.
    pub(super) fn set(&mut self, position: u64) {
        self.bar.set_position(position);
        if self.is_first {
            // Events of an earlier run do not count for the speed.
            self.bar.reset_eta();
            self.is_first = false;
        }
        if self.bar.is_hidden() && self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            print(&self.line());
        }
    }

    fn line(&self) -> String {
        let (position, total) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let per_second = self.bar.per_sec();
        let left = if per_second > 0.0 {
            format!("{} left", HumanDuration(self.bar.eta()))
        } else {
            "time left unknown".to_owned()
        };
        format!("{position} of {total} events, {per_second:.0} events/s, {left}")
    }
}

impl Drop for ReplayProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_an_earlier_run_do_not_count_for_the_speed() {
        let mut progress = ReplayProgress::new(1_000);
        progress.set(600);
        let expected = "600 of 1000 events, 0 events/s, time left unknown";
        assert_eq!(progress.line(), expected);
    }
}
