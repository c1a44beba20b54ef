//! One measurement of one mode, and what follows from it alone. Never compares modes; see `report`.

use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use crate::read_model::Content;
use crate::usage::Cpu;

/// A way through the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// The projector, from empty tables and a new group
    Projector,
    /// What the projector sent, sent again
    Ceiling,
    /// ClickHouse's own Kafka table engine
    KafkaEngine,
    /// The projector's consuming and decoding, without the inserts
    Decode,
}

impl Mode {
    /// For the table.
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
    /// Rows that arrived; fewer than the log holds when the time was over.
    pub(crate) events: u64,
    pub(crate) took: Duration,
    pub(crate) cpu: Cpu,
    /// ClickHouse's, the merges that were left when the clock stopped included.
    pub(crate) clickhouse_until_merged: Option<Duration>,
    /// Most memory of the process under measurement, bytes.
    pub(crate) peak_bytes: Option<u64>,
    /// Inserts of events.
    pub(crate) inserts: Option<u64>,
    pub(crate) content: Option<Content>,
}

impl Run {
    /// A run over all of `events`; the rest is filled in by whoever knows it.
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

    /// What a CPU time comes to for each event, µs.
    pub(crate) fn per_event(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / self.events as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_the_rows_that_arrived() {
        let run = Run {
            took: Duration::from_secs(2),
            ..Run::of_all(500_000, Cpu::default())
        };
        assert_eq!(run.rate().round() as u64, 250_000);
        assert_eq!(run.per_event(Duration::from_secs(1)).round() as u64, 2);
    }
}
