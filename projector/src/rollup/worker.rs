//! The task that keeps `playbacks` up to date while a projector runs. Each projector updates the rows of its own partitions; every
//! projector takes over a partition that lags without progress. It must never end.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use clickhouse::error::Error;
use tokio::time::sleep;

use super::{Rollup, RollupStep, lag::Lag};
use crate::{
    commit::shared::SharedOffsets,
    metrics,
    status::{PipelineStatus, Stage},
};

/// The pause after a step is this multiple of the step's duration, to add little load to a busy read model: half of a step's cost
/// does not depend on the number of rows.
const PAUSE_FACTOR: u32 = 4;
const MIN_PAUSE: Duration = Duration::from_millis(250);
/// Rows are at most as old as two steps and this pause.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// A lagging partition without progress for this long is orphaned.
const ORPHANED_AFTER: Duration = Duration::from_secs(10);
/// Between two cleanups of `playbacks_touched`.
const CLEANUP_INTERVAL: Duration = Duration::from_mins(10);

/// Updates the rows of one generation.
pub(crate) struct RollupWorker {
    rollup: Rollup,
    offsets: Arc<SharedOffsets>,
    status: Arc<PipelineStatus>,
    /// Lagging partitions of other projectors: the offset of their rows, and since when it has not changed.
    others: BTreeMap<u16, (u64, Instant)>,
    last_cleanup: Option<Instant>,
}

impl RollupWorker {
    pub(crate) fn new(
        rollup: Rollup,
        offsets: Arc<SharedOffsets>,
        status: Arc<PipelineStatus>,
    ) -> Self {
        Self {
            rollup,
            offsets,
            status,
            others: BTreeMap::new(),
            last_cleanup: None,
        }
    }

    /// Runs until dropped. Readiness reports errors (I11), and the next step tries again.
    pub(crate) async fn run(mut self) -> Infallible {
        loop {
            let start = Instant::now();
            match self.step().await {
                Ok(()) => self.status.mark_healthy(Stage::RollUp),
                Err(error) => {
                    metrics::retried(Stage::RollUp.name());
                    self.status.mark_blocked(Stage::RollUp, error.to_string());
                }
            }
            sleep((start.elapsed() * PAUSE_FACTOR).clamp(MIN_PAUSE, MAX_PAUSE)).await;
        }
    }

    async fn step(&mut self) -> Result<(), Error> {
        let assigned: BTreeSet<u16> = self.offsets.stored().into_keys().collect();
        let (now, others) = (Instant::now(), &mut self.others);
        let selected =
            |lag: &Lag| assigned.contains(&lag.partition) || is_orphaned(*lag, others, now);
        if self.rollup.step(selected).await? == RollupStep::UpToDate {
            self.others.clear();
            self.cleanup(now).await?;
        }
        Ok(())
    }

    async fn cleanup(&mut self, now: Instant) -> Result<(), Error> {
        let due = |last| now - last > CLEANUP_INTERVAL;
        if self.last_cleanup.is_none_or(due) {
            self.rollup.drop_old_touched().await?;
            self.last_cleanup = Some(now);
        }
        Ok(())
    }
}

/// Whether a partition of another projector has lagged from the same offset for too long.
fn is_orphaned(lag: Lag, others: &mut BTreeMap<u16, (u64, Instant)>, now: Instant) -> bool {
    let (from, since) = others.entry(lag.partition).or_insert((lag.from, now));
    if *from != lag.from {
        (*from, *since) = (lag.from, now);
    }
    now - *since > ORPHANED_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lagging_partition_without_progress_is_orphaned_and_one_with_progress_is_not() {
        let (mut others, start) = (BTreeMap::new(), Instant::now());
        let mut is_orphaned_at = |from, intervals| {
            let lag = Lag {
                partition: 3,
                from,
                to: 100,
            };
            is_orphaned(lag, &mut others, start + ORPHANED_AFTER * intervals)
        };
        assert!(!is_orphaned_at(5, 0));
        assert!(!is_orphaned_at(6, 2));
        assert!(!is_orphaned_at(6, 3));
        assert!(is_orphaned_at(6, 4));
    }
}
