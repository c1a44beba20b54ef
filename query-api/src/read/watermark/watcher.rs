//! The task that observes the active generation, by one query at a time however many callers wait for a position.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use ess_service::health::Check;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    View,
    watch::{Demand, LastObservation, Observation, Watch},
};
use crate::{
    read::read_model::{ReadModel, SelectError},
    sql::ProgressRow,
};

/// How often the active generation is read, and its progress while no caller waits.
const IDLE_INTERVAL: Duration = Duration::from_secs(1);
/// How often progress is read while a caller waits.
const DEMAND_INTERVAL: Duration = Duration::from_millis(20);

/// Observes the read model until the process stops.
pub(crate) struct Watcher {
    read_model: Arc<ReadModel>,
    check: Check,
    last_observation: watch::Sender<LastObservation>,
    demand: Arc<Demand>,
}

impl Watcher {
    /// A watcher and a handle to its observations; `check` reports whether there is a generation.
    pub(crate) fn new(
        read_model: Arc<ReadModel>,
        check: Check,
        max_wait: Duration,
    ) -> (Self, Watch) {
        let (sender, receiver) = watch::channel(None);
        let demand = Arc::<Demand>::default();
        let watch = Watch::new(receiver, Arc::clone(&demand), max_wait);
        let watcher = Self {
            read_model,
            check,
            last_observation: sender,
            demand,
        };
        (watcher, watch)
    }

    /// Observes until `stopping`.
    ///
    /// # Errors
    /// None: the check reports an unavailable read model, and the watcher tries again.
    pub(crate) async fn run(self, stopping: CancellationToken) -> Result<(), Infallible> {
        stopping.run_until_cancelled(self.observe_forever()).await;
        Ok(())
    }

    async fn observe_forever(&self) {
        let mut generation = (None, Instant::now());
        loop {
            if generation.0.is_none() || generation.1.elapsed() >= IDLE_INTERVAL {
                generation = (
                    self.report(self.read_model.active_generation().await),
                    Instant::now(),
                );
            }
            if let Some(active) = generation.0 {
                self.observe(active).await;
            }
            self.pause().await;
        }
    }

    fn report(&self, active: Result<Option<u32>, SelectError>) -> Option<u32> {
        match active {
            Ok(Some(generation)) => return Some(generation),
            Ok(None) => {
                self.last_observation.send_replace(None);
                self.check.not_ready(
                    "no generation of the read model is active: has `projector init` run?",
                );
            }
            Err(error) => self.check.not_ready(error.to_string()),
        }
        None
    }

    async fn observe(&self, generation: u32) {
        match self.observation(generation).await {
            Ok(observation) => {
                self.check.ok();
                self.last_observation.send_if_modified(|last| {
                    let changed = last.as_ref() != Some(&observation);
                    if changed {
                        *last = Some(observation);
                    }
                    changed
                });
            }
            Err(error) => self
                .check
                .not_ready(format!("generation {generation}: {error}")),
        }
    }

    /// Reads the rows of playbacks first, so that they never appear ahead of the events from which they are rolled up.
    async fn observation(&self, generation: u32) -> Result<Observation, SelectError> {
        let view = |rows: &[ProgressRow]| View::new(generation, rows).map(Arc::new);
        let playbacks = self.read_model.playbacks_progress(generation).await?;
        let events = self.read_model.progress(generation).await?;
        Ok(Observation {
            events: view(&events)?,
            playbacks: playbacks.as_deref().map(view).transpose()?,
        })
    }

    async fn pause(&self) {
        if self.demand.waiting.load(Ordering::Relaxed) > 0 {
            sleep(DEMAND_INTERVAL).await;
        } else {
            let _ = timeout(IDLE_INTERVAL, self.demand.notify.notified()).await;
        }
    }
}
