//! What is known of the projector's own state while it works, for readiness and metrics: written by the stages, read by
//! `readiness`. Nothing here decides anything.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// A step that can be held up by another part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Prepare,
    Insert,
    DeadLetters,
    Progress,
    /// Asked again and again, so that a read model that is away is noticed while there is nothing to store.
    Generations,
    RollUp,
}

impl Stage {
    /// For logs, metrics and reasons.
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

/// Where a partition of the log begins and ends, as last heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) low: u64,
    /// The high watermark: the offset that the next record will have.
    pub(crate) high: u64,
}

/// Everything at once.
#[derive(Debug, Clone)]
pub(crate) struct Signs {
    /// Why nothing can be read from the log.
    pub(crate) log_hindered: Option<String>,
    /// What keeps failing, and how it failed last.
    pub(crate) hindered: BTreeMap<Stage, String>,
    pub(crate) bounds: BTreeMap<u16, Bounds>,
    /// When the consumer was last served; none before it reads.
    pub(crate) polled: Option<Instant>,
}

/// The signs, shared.
#[derive(Debug)]
pub(crate) struct Vitals(Mutex<Signs>);

impl Default for Vitals {
    fn default() -> Self {
        Self(Mutex::new(Signs {
            log_hindered: Some("the log has not been reached yet".to_owned()),
            hindered: [(Stage::Prepare, "starting".to_owned())].into(),
            bounds: BTreeMap::new(),
            polled: None,
        }))
    }
}

impl Vitals {
    pub(crate) fn signs(&self) -> Signs {
        self.lock().clone()
    }

    pub(crate) fn works(&self, stage: Stage) {
        self.lock().hindered.remove(&stage);
    }

    pub(crate) fn hindered(&self, stage: Stage, reason: String) {
        self.lock().hindered.insert(stage, reason);
    }

    /// Whether the log can be read, and why not.
    pub(crate) fn log(&self, hindered: Option<String>) {
        self.lock().log_hindered = hindered;
    }

    pub(crate) fn bounds(&self, bounds: BTreeMap<u16, Bounds>) {
        self.lock().bounds = bounds;
    }

    /// The bounds of one partition.
    pub(crate) fn bound(&self, partition: u16, bounds: Bounds) {
        self.lock().bounds.insert(partition, bounds);
    }

    pub(crate) fn polled(&self, now: Instant) {
        self.lock().polled = Some(now);
    }

    fn lock(&self) -> MutexGuard<'_, Signs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
