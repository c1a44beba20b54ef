//! Latencies as exact quantiles of all requests of a measurement.

use std::time::Duration;

use serde::Serialize;

use crate::median::quantile;

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
    /// CPU time of both processes for each request, if measured.
    pub(crate) cost: Option<Cost>,
}

/// CPU time for each request, in µs: all CPU time of the process ÷ requests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Cost {
    /// This process.
    pub(crate) client: f64,
    /// The server process.
    pub(crate) server: f64,
}

impl Latencies {
    /// Summarizes the latencies of requests over the time `whole`.
    pub(crate) fn of(mut took: Vec<Duration>, whole: Duration) -> Self {
        took.sort_unstable();
        let at = |level| quantile(&took, level).as_secs_f64() * 1e3;
        Self {
            requests: took.len() as u64,
            p50: at(0.5),
            p99: at(0.99),
            rate: took.len() as f64 / whole.as_secs_f64(),
            cost: None,
        }
    }

    /// Adds the CPU time of client and server.
    pub(crate) fn with_cpu(self, client: Duration, server: Duration) -> Self {
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
    fn quantiles_are_measured_values() {
        let took = (1..=200).rev().map(Duration::from_millis).collect();
        let latencies = Latencies::of(took, Duration::from_secs(4));
        assert_eq!((latencies.p50, latencies.p99), (101.0, 199.0));
        assert_eq!((latencies.requests, latencies.rate), (200, 50.0));
    }
}
