//! The windows of a soak, of five seconds each, and whether they stay flat.

use std::time::Duration;

use serde::Serialize;

use crate::median::{median, quantile};

/// The first minute is ignored: connections open, and memory grows to its working size.
const SETTLE_TIME: Duration = Duration::from_mins(1);
/// Maximum ratio of the last third to the first, on a machine with other load.
const MEMORY: f64 = 1.05;
const LATENCY: f64 = 1.5;

/// One request: its due time since the start, and its latency since then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latency {
    pub(super) due: Duration,
    pub(super) took: Duration,
}

/// A window of five seconds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Window {
    /// Seconds since the start.
    pub(super) at: f64,
    pub(super) requests: usize,
    /// Milliseconds.
    pub(super) p50: f64,
    pub(super) p99: f64,
    /// Resident memory, MiB.
    pub(super) memory: f64,
    pub(super) files: f64,
}

/// Whether one figure stayed flat.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Flatness {
    pub(super) what: &'static str,
    pub(super) first: f64,
    pub(super) last: f64,
    pub(super) is_flat: bool,
}

impl Window {
    /// Summarizes the requests of a window.
    pub(super) fn of(begin: Duration, latencies: &[Latency], bytes: u64, files: usize) -> Self {
        let mut took: Vec<_> = latencies.iter().map(|latency| latency.took).collect();
        took.sort_unstable();
        let at = |level| quantile(&took, level).as_secs_f64() * 1e3;
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

/// Compares the last third of the windows with the first.
pub(super) fn flatness(windows: &[Window]) -> Vec<Flatness> {
    let settled = |window: &&Window| window.at >= SETTLE_TIME.as_secs_f64();
    let settled: Vec<&Window> = windows.iter().filter(settled).collect();
    let third = settled.len() / 3;
    let (first, last) = (&settled[..third], &settled[settled.len() - third..]);
    let of = |what, value: fn(&Window) -> f64, max_ratio: f64, tolerance: f64| {
        let median_of = |windows: &[&Window]| median(windows.iter().map(|window| value(window)));
        let (first, last) = (median_of(first)?, median_of(last)?);
        Some(Flatness {
            what,
            first,
            last,
            is_flat: last <= first * max_ratio + tolerance,
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
    fn growth_is_not_flat_except_in_the_first_minute() {
        assert!(is_flat(&windows(|_| 50.0)));
        assert!(!is_flat(&windows(|number| 50.0 + f64::from(number) * 0.1)));
        assert!(is_flat(&windows(|number| if number < 12 {
            10.0
        } else {
            50.0
        })));
    }

    #[test]
    fn a_window_has_the_quantiles_of_its_requests() {
        let latency = |ms: u64| Latency {
            due: Duration::from_secs(7),
            took: Duration::from_millis(ms),
        };
        let window = Window::of(
            Duration::ZERO,
            &(1..=200).rev().map(latency).collect::<Vec<_>>(),
            2 << 20,
            9,
        );
        assert_eq!((window.p50, window.p99), (101.0, 199.0));
        assert_eq!((window.at, window.memory, window.requests), (7.0, 2.0, 200));
    }
}
