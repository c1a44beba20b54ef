//! What a soak looks like every five seconds, and whether it stays so.

use std::time::Duration;

use serde::Serialize;

use crate::median::median;

/// The first minute is not judged: connections are opened, and memory is taken that stays in use.
const SETTLES_WITHIN: Duration = Duration::from_mins(1);
/// By how much the last third may lie above the first, on a machine that does something else as well.
const MEMORY: f64 = 1.05;
const LATENCY: f64 = 1.5;

/// One request: when it was due, and how long it took from then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latency {
    pub(super) due: Duration,
    pub(super) took: Duration,
}

/// Five seconds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Window {
    /// Seconds after the begin.
    pub(super) at: f64,
    pub(super) requests: usize,
    /// Milliseconds.
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// MiB resident.
    pub(super) memory: f64,
    pub(super) files: f64,
}

/// Whether one thing stayed as it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Flatness {
    pub(super) what: &'static str,
    pub(super) first: f64,
    pub(super) last: f64,
    pub(super) is_flat: bool,
}

impl Window {
    /// Of the requests that were answered in it.
    pub(super) fn of(
        begin: Duration,
        mut latencies: Vec<Latency>,
        bytes: u64,
        files: usize,
    ) -> Self {
        latencies.sort_unstable_by_key(|latency| latency.took);
        let at = |share: f64| {
            let index = (share * latencies.len() as f64) as usize;
            let found = latencies.get(index.min(latencies.len().saturating_sub(1)));
            found.map_or(0.0, |latency| latency.took.as_secs_f64() * 1e3)
        };
        let last_due = latencies.iter().map(|latency| latency.due).max();
        Self {
            at: last_due.unwrap_or(begin).as_secs_f64(),
            requests: latencies.len(),
            p50: at(0.5),
            p99: at(0.99),
            memory: bytes as f64 / f64::from(1 << 20),
            files: files as f64,
        }
    }
}

/// Compares the first third of what was settled with the last.
pub(super) fn flatness(windows: &[Window]) -> Vec<Flatness> {
    let settled = |window: &&Window| window.at >= SETTLES_WITHIN.as_secs_f64();
    let settled: Vec<&Window> = windows.iter().filter(settled).collect();
    let third = settled.len() / 3;
    let (first, last) = (&settled[..third], &settled[settled.len() - third..]);
    let of = |what, value: fn(&Window) -> f64, most: f64, slack: f64| {
        let middle = |windows: &[&Window]| median(windows.iter().map(|window| value(window)));
        let (first, last) = (middle(first)?, middle(last)?);
        Some(Flatness {
            what,
            first,
            last,
            is_flat: last <= first * most + slack,
        })
    };
    [
        of("memory, MiB", |window| window.memory, MEMORY, 1.0),
        of("file handles", |window| window.files, 1.0, 2.0),
        of("p50, ms", |window| window.p50, LATENCY, 1.0),
        of("p99, ms", |window| window.p99, LATENCY, 5.0),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(memory: impl Fn(u32) -> f64) -> Vec<Window> {
        let window = |number: u32| Window {
            at: f64::from(number) * 5.0,
            requests: 1,
            p50: 1.0,
            p99: 2.0,
            memory: memory(number),
            files: 300.0,
        };
        (0..120).map(window).collect()
    }

    fn is_flat(windows: &[Window]) -> bool {
        flatness(windows).iter().all(|row| row.is_flat)
    }

    #[test]
    fn what_grows_is_not_flat_and_what_was_taken_at_the_beginning_is() {
        assert!(is_flat(&windows(|_| 50.0)));
        assert!(!is_flat(&windows(|number| 50.0 + f64::from(number) * 0.1)));
        assert!(is_flat(&windows(|number| if number < 12 {
            10.0
        } else {
            50.0
        })));
    }

    #[test]
    fn a_window_tells_the_quantiles_of_its_requests() {
        let latency = |ms: u64| Latency {
            due: Duration::from_secs(7),
            took: Duration::from_millis(ms),
        };
        let window = Window::of(
            Duration::ZERO,
            (1..=200).rev().map(latency).collect(),
            2 << 20,
            9,
        );
        assert_eq!((window.p50, window.p99), (101.0, 199.0));
        assert_eq!((window.at, window.memory, window.requests), (7.0, 2.0, 200));
    }
}
