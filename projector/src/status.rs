//! The state of the pipeline as its stages report it; `readiness` reads it. It must never decide anything.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::kafka::PartitionBounds;

/// A step that depends on another server and can be blocked by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Prepare,
    Insert,
    DeadLetters,
    Progress,
    /// Runs on a timer, so that an outage of ClickHouse is noticed even when there is nothing to store.
    Generations,
    RollUp,
}

impl Stage {
    /// The name in log lines, readiness reasons and the metric label `stage`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Prepare => "preparing the read model",
            Self::Insert => "inserting events",
            Self::DeadLetters => "appending dead letters",
            Self::Progress => "recording progress",
            Self::RollUp => "making the rows of playbacks again",
            Self::Generations => "looking up the generations",
        }
    }
}

/// A copy of the status at one moment.
#[derive(Debug, Clone)]
pub(crate) struct StatusSnapshot {
    /// Why the topic cannot be read; none when it can.
    pub(crate) kafka_problem: Option<String>,
    /// The stages that fail, each with its last error.
    pub(crate) blocked: BTreeMap<Stage, String>,
    pub(crate) bounds: BTreeMap<u16, PartitionBounds>,
    /// When the consumer last polled; none before its first poll.
    pub(crate) polled_at: Option<Instant>,
}

/// The current status, shared by the stages that write it and the task that reads it.
#[derive(Debug)]
pub(crate) struct PipelineStatus(Mutex<StatusSnapshot>);

impl Default for PipelineStatus {
    fn default() -> Self {
        Self(Mutex::new(StatusSnapshot {
            kafka_problem: Some("not connected to Kafka yet".to_owned()),
            blocked: [(Stage::Prepare, "starting".to_owned())].into(),
            bounds: BTreeMap::new(),
            polled_at: None,
        }))
    }
}

impl PipelineStatus {
    pub(crate) fn snapshot(&self) -> StatusSnapshot {
        self.lock().clone()
    }

    pub(crate) fn mark_healthy(&self, stage: Stage) {
        self.lock().blocked.remove(&stage);
    }

    pub(crate) fn mark_blocked(&self, stage: Stage, reason: String) {
        self.lock().blocked.insert(stage, reason);
    }

    pub(crate) fn set_kafka_problem(&self, problem: Option<String>) {
        self.lock().kafka_problem = problem;
    }

    /// Replaces the bounds of all partitions.
    pub(crate) fn set_bounds(&self, bounds: BTreeMap<u16, PartitionBounds>) {
        self.lock().bounds = bounds;
    }

    pub(crate) fn set_partition_bounds(&self, partition: u16, bounds: PartitionBounds) {
        self.lock().bounds.insert(partition, bounds);
    }

    pub(crate) fn set_polled_at(&self, now: Instant) {
        self.lock().polled_at = Some(now);
    }

    fn lock(&self) -> MutexGuard<'_, StatusSnapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
