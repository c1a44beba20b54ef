//! Progress of long tasks: a spinner or a bar on a terminal, a plain line every few seconds elsewhere.
//! Never writes to stdout, which is for results.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The interval between plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// The progress of one task.
pub struct Progress {
    what: String,
    bar: Option<ProgressBar>,
    started: Instant,
    last_line: Instant,
}

/// Prints one line to stderr.
pub fn note(line: &str) {
    // A closed stderr must not stop the task.
    let _ = writeln!(stderr(), "{line}");
}

impl Progress {
    /// Starts a spinner.
    pub fn spinner(what: impl Into<String>) -> Self {
        Self::start(what.into(), || {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(Duration::from_millis(120));
            (bar, "{spinner} {prefix} {elapsed:.dim} {wide_msg}")
        })
    }

    /// Starts a bar for an expected number of bytes.
    pub fn bytes(what: impl Into<String>, total: u64) -> Self {
        Self::start(what.into(), || {
            (
                ProgressBar::new(total),
                "{prefix} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            )
        })
    }

    fn start(what: String, draw: impl FnOnce() -> (ProgressBar, &'static str)) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let (bar, template) = draw();
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            bar.with_style(style).with_prefix(what.clone())
        });
        if bar.is_none() {
            note(&format!("{what} …"));
        }
        let now = Instant::now();
        Self {
            what,
            bar,
            started: now,
            last_line: now,
        }
    }

    /// Shows the current step.
    pub fn message(&mut self, message: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(message.to_owned()),
            None => self.plain(message),
        }
    }

    /// Prints a plain line if one is due. A spinner turns by itself.
    pub fn tick(&mut self) {
        if self.bar.is_none() {
            self.plain("");
        }
    }

    /// Moves the bar to `done` bytes.
    pub fn position(&mut self, done: u64) {
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None => self.plain(&format!("{} MB", done / 1_000_000)),
        }
    }

    /// Ends the task and prints its result.
    pub fn done(self, result: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        note(&format!(
            "{}: {result} ({:.1} s)",
            self.what,
            self.started.elapsed().as_secs_f32()
        ));
    }

    fn plain(&mut self, message: &str) {
        if self.last_line.elapsed() >= PLAIN_EVERY {
            self.last_line = Instant::now();
            note(&format!(
                "{} … {} s {message}",
                self.what,
                self.started.elapsed().as_secs()
            ));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
