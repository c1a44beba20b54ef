//! How far the rows of `playbacks` are behind, looked at over and over while reads are measured.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::error::{Error, Result};
use crate::median::median;
use crate::read_model::ReadModel;

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Looks until it is ended.
pub(super) struct Watch {
    seen: Arc<Mutex<Vec<u64>>>,
    task: JoinHandle<Result<()>>,
}

/// Age of the newest event that the rows hold, ms.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Staleness {
    pub(super) median: f64,
    pub(super) most: u64,
}

impl Watch {
    /// Begins to look.
    pub(super) fn begin(model: &ReadModel) -> Self {
        let seen = Arc::<Mutex<Vec<u64>>>::default();
        let task = tokio::spawn(look(model.clone(), Arc::clone(&seen)));
        Self { seen, task }
    }

    /// What was seen.
    ///
    /// # Errors
    /// Looking has failed.
    pub(super) fn end(self) -> Result<Staleness> {
        if self.task.is_finished() {
            return Err(Error::message("the rows of playbacks cannot be looked at"));
        }
        self.task.abort();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Staleness {
            median: median(seen.iter().map(|age| *age as f64)).unwrap_or_default(),
            most: seen.iter().copied().max().unwrap_or_default(),
        })
    }
}

async fn look(model: ReadModel, seen: Arc<Mutex<Vec<u64>>>) -> Result<()> {
    let sql = format!(
        "SELECT toUInt64(greatest(0, dateDiff('millisecond', max(last_ingest_time), now64(3)))) FROM {}.playbacks_progress",
        model.generation()
    );
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let age = model.number(&sql).await?;
        seen.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(age);
    }
}
