//! One measurement of one mode, and the values derived from it. Never compares modes: `report` does.

use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use crate::read_model::Content;
use crate::usage::Cpu;

/// A mode of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// The projector, with empty tables and a new consumer group
    Projector,
    /// The recorded inserts of the projector, sent again
    Ceiling,
    /// ClickHouse's own Kafka table engine
    KafkaEngine,
    /// Consuming and decoding of the projector, without inserts
    Decode,
}

impl Mode {
    /// The title in tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Projector => "(a) projector",
            Self::Ceiling => "(b) insert ceiling",
            Self::KafkaEngine => "(c) Kafka table engine",
            Self::Decode => "(d) consume and decode",
        }
    }
}

/// One measurement.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Run {
    pub(crate) mode: Mode,
    pub(crate) round: u32,
    /// Stored rows; fewer than the events of the topic after a timeout.
    pub(crate) events: u64,
    pub(crate) took: Duration,
    pub(crate) cpu: Cpu,
    /// CPU time of ClickHouse, including the merges after the clock stopped.
    pub(crate) clickhouse_until_merged: Option<Duration>,
    /// Peak memory of the measured process, bytes.
    pub(crate) peak_bytes: Option<u64>,
    /// Number of inserts of events.
    pub(crate) inserts: Option<u64>,
    pub(crate) content: Option<Content>,
}

impl Run {
    /// A run over all events. Callers set the other fields.
    pub(crate) fn of_all(events: u64, cpu: Cpu) -> Self {
        Self {
            mode: Mode::Projector,
            round: 0,
            events,
            took: Duration::ZERO,
            cpu,
            clickhouse_until_merged: None,
            peak_bytes: None,
            inserts: None,
            content: None,
        }
    }

    /// Events per second.
    pub(crate) fn rate(&self) -> f64 {
        self.events as f64 / self.took.as_secs_f64()
    }

    /// CPU time for each event, µs.
    pub(crate) fn per_event(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / self.events as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_count_stored_rows() {
        let run = Run {
            took: Duration::from_secs(2),
            ..Run::of_all(500_000, Cpu::default())
        };
        assert_eq!(run.rate().round() as u64, 250_000);
        assert_eq!(run.per_event(Duration::from_secs(1)).round() as u64, 2);
    }
}
