//! One measurement of `bench ingest`, and what it is of. Never measures, never formats a table.

use std::fmt;

use serde::Serialize;

use crate::http::latencies::Latencies;

/// Numbers of connections for one event a request.
pub(super) const CONNECTIONS: [u64; 3] = [64, 256, 1_024];
/// The number of connections of the goals.
pub(super) const GOAL_CONNECTIONS: u64 = 256;
/// Number of connections for batches.
pub(super) const BATCHERS: u64 = 16;
/// A case that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Case {
    /// The route that only parses, with this number of connections.
    Parse(u64),
    /// One event a request, with this number of connections.
    Single(u64),
    /// One request after the other, on one connection.
    Idle,
    /// An open load at half of the highest rate.
    Half,
    /// 500 events a request.
    Batches,
    /// Kafka's own producer.
    Producer,
}

/// One measurement.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Figure {
    /// Events per second.
    pub(super) rate: f64,
    pub(super) latencies: Option<Latencies>,
    pub(super) cores: Option<CpuCores>,
}

/// CPU time ÷ wall time, in cores.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct CpuCores {
    pub(super) generator: f64,
    pub(super) server: f64,
    pub(super) kafka: f64,
}

impl Figure {
    /// The figure of requests with `events` events each.
    pub(super) fn of(latencies: Latencies, events: u64, cores: CpuCores) -> Self {
        Self {
            rate: latencies.rate * events as f64,
            latencies: Some(latencies),
            cores: Some(cores),
        }
    }

    /// A figure with a rate only.
    pub(super) fn rate(rate: f64) -> Self {
        Self {
            rate,
            latencies: None,
            cores: None,
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse(connections) => write!(f, "only parsed, {connections} connections"),
            Self::Single(connections) => {
                write!(f, "one event a request, {connections} connections")
            }
            Self::Idle => write!(f, "one request after the other"),
            Self::Half => write!(f, "due at half the rate of {GOAL_CONNECTIONS} connections"),
            Self::Batches => write!(f, "500 events a request, {BATCHERS} connections"),
            Self::Producer => write!(f, "Kafka's ProducerPerformance"),
        }
    }
}
