//! The task that looks at the active generation. However many wait for a position, one query at a time asks.

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
    watch::{Demand, Seen, Sight, Watch},
};
use crate::{
    read::read_model::{ReadModel, SelectError},
    sql::ProgressRow,
};

/// How often the active generation is asked for, and its progress while nobody waits.
const AT_REST: Duration = Duration::from_secs(1);
/// How often progress is asked for while somebody waits.
const AWAITED: Duration = Duration::from_millis(20);

/// Looks at the read model until the process stops.
pub(crate) struct Watcher {
    read_model: Arc<ReadModel>,
    check: Check,
    seen: watch::Sender<Seen>,
    demand: Arc<Demand>,
}

impl Watcher {
    /// A watcher and the handle to it; `check` tells whether there is a generation to ask.
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
            seen: sender,
            demand,
        };
        (watcher, watch)
    }

    /// Looks again and again until `stopping`.
    ///
    /// # Errors
    /// None: a read model that cannot be asked is told by the check, and asked again.
    pub(crate) async fn run(self, stopping: CancellationToken) -> Result<(), Infallible> {
        stopping.run_until_cancelled(self.look_for_ever()).await;
        Ok(())
    }

    async fn look_for_ever(&self) {
        let mut generation = (None, Instant::now());
        loop {
            if generation.0.is_none() || generation.1.elapsed() >= AT_REST {
                generation = (
                    self.told(self.read_model.active_generation().await),
                    Instant::now(),
                );
            }
            if let Some(active) = generation.0 {
                self.look(active).await;
            }
            self.pause().await;
        }
    }

    fn told(&self, active: Result<Option<u32>, SelectError>) -> Option<u32> {
        match active {
            Ok(Some(generation)) => return Some(generation),
            Ok(None) => {
                self.seen.send_replace(None);
                self.check.not_ready(
                    "no generation of the read model is active: has `projector init` run?",
                );
            }
            Err(error) => self.check.not_ready(error.to_string()),
        }
        None
    }

    async fn look(&self, generation: u32) {
        match self.sight(generation).await {
            Ok(sight) => {
                self.check.ok();
                self.seen.send_if_modified(|seen| {
                    let changed = seen.as_ref() != Some(&sight);
                    if changed {
                        *seen = Some(sight);
                    }
                    changed
                });
            }
            Err(error) => self
                .check
                .not_ready(format!("generation {generation}: {error}")),
        }
    }

    /// The rows of playbacks first: they are never seen ahead of the events that they are made of.
    async fn sight(&self, generation: u32) -> Result<Sight, SelectError> {
        let view = |rows: &[ProgressRow]| View::new(generation, rows).map(Arc::new);
        let playbacks = self.read_model.playbacks_progress(generation).await?;
        let events = self.read_model.progress(generation).await?;
        Ok(Sight {
            events: view(&events)?,
            playbacks: playbacks.as_deref().map(view).transpose()?,
        })
    }

    async fn pause(&self) {
        if self.demand.waiting.load(Ordering::Relaxed) > 0 {
            sleep(AWAITED).await;
        } else {
            let _ = timeout(AT_REST, self.demand.bell.notified()).await;
        }
    }
}
