//! Samples the staleness of the rows of `playbacks` during the measurements.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::error::{Error, Result};
use crate::median::median;
use crate::read_model::ReadModel;

const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// A sampler of staleness.
pub(super) struct StalenessSampler {
    samples: Arc<Mutex<Vec<u64>>>,
    task: JoinHandle<Result<()>>,
}

/// Age of the newest event in the rows, ms.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Staleness {
    pub(super) median: f64,
    pub(super) max: u64,
}

impl StalenessSampler {
    /// Starts sampling.
    pub(super) fn start(model: &ReadModel) -> Self {
        let samples = Arc::<Mutex<Vec<u64>>>::default();
        let task = tokio::spawn(sample(model.clone(), Arc::clone(&samples)));
        Self { samples, task }
    }

    /// Stops sampling and summarizes the samples.
    ///
    /// # Errors
    /// A query that failed.
    pub(super) fn stop(self) -> Result<Staleness> {
        if self.task.is_finished() {
            return Err(Error::message(
                "the staleness of playbacks cannot be queried",
            ));
        }
        self.task.abort();
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Staleness {
            median: median(samples.iter().map(|age| *age as f64)).unwrap_or_default(),
            max: samples.iter().copied().max().unwrap_or_default(),
        })
    }
}

async fn sample(model: ReadModel, samples: Arc<Mutex<Vec<u64>>>) -> Result<()> {
    let sql = format!(
        "SELECT toUInt64(greatest(0, dateDiff('millisecond', max(last_ingest_time), now64(3)))) FROM {}.playbacks_progress",
        model.generation()
    );
    let mut ticks = interval(POLL_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let age = model.number(&sql).await?;
        samples
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(age);
    }
}
