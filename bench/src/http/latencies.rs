//! How long requests took, as quantiles: exact ones, of every request that was answered while the clock ran.

use std::time::Duration;

use serde::Serialize;

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Latencies {
    pub(crate) requests: u64,
    /// Milliseconds.
    pub(crate) p50: f64,
    /// Milliseconds.
    pub(crate) p99: f64,
    /// Requests a second.
    pub(crate) rate: f64,
    /// CPU time of the two processes for each request, where it was counted.
    pub(crate) cost: Option<Cost>,
}

/// CPU time for each request, µs: all that a process used, whatever it did besides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Cost {
    /// Of this process.
    pub(crate) client: f64,
    /// Of the process that was asked.
    pub(crate) server: f64,
}

impl Latencies {
    /// Of requests that took so long, all of them over `whole`.
    pub(crate) fn of(mut took: Vec<Duration>, whole: Duration) -> Self {
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
            cost: None,
        }
    }

    /// The same, which took the client and the server so much CPU time.
    pub(crate) fn at_the_cost_of(self, client: Duration, server: Duration) -> Self {
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / self.requests.max(1) as f64;
        let (client, server) = (each(client), each(server));
        Self {
            cost: Some(Cost { client, server }),
            ..self
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
