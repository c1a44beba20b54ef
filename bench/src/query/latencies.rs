//! How long requests took, as quantiles: exact ones, of every request that was answered while the clock ran.

use std::time::Duration;

use serde::Serialize;

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Latencies {
    pub(super) requests: u64,
    /// Milliseconds.
    pub(super) p50: f64,
    /// Milliseconds.
    pub(super) p99: f64,
    /// Requests a second.
    pub(super) rate: f64,
}

impl Latencies {
    /// Of requests that took so long, all of them over `whole`.
    pub(super) fn of(mut took: Vec<Duration>, whole: Duration) -> Self {
        took.sort_unstable();
        // The value at this share of the way, rounded down, as ClickHouse's quantileExact.
        let at = |share: f64| {
            let index = (share * took.len() as f64) as usize;
            let last = took.len().saturating_sub(1);
            let found = took.get(index.min(last)).copied().unwrap_or_default();
            found.as_secs_f64() * 1e3
        };
        Self {
            requests: took.len() as u64,
            p50: at(0.5),
            p99: at(0.99),
            rate: took.len() as f64 / whole.as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_times_that_occurred() {
        let took = (1..=200).rev().map(Duration::from_millis).collect();
        let latencies = Latencies::of(took, Duration::from_secs(4));
        assert_eq!((latencies.p50, latencies.p99), (101.0, 199.0));
        assert_eq!((latencies.requests, latencies.rate), (200, 50.0));
    }
}
