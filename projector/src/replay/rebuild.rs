//! Brings a generation up to date beside the active one, and reports how far it is. It must never send dead letters (I9) or decide
//! which generation is active.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ess_service::{clickhouse::generation_client, retry::RetryPolicy};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{error::ReplayError, progress::ReplayProgress};
use crate::{
    commit::{progress, shared::SharedOffsets},
    config::Settings,
    kafka,
    pipeline::{Pipeline, PipelineTarget, Role},
    rollup::Rollup,
    status::PipelineStatus,
};

/// Between two queries of the progress.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// A generation that is to become the active one. It has a consumer group of its own, so the offsets of the live projectors stay
/// as they are.
pub(crate) struct Rebuild<'s> {
    pub(crate) settings: &'s Settings,
    pub(crate) active: u32,
    pub(crate) generation: u32,
    /// The group that wrote to the generation before, if there is one.
    pub(crate) previous_group: Option<String>,
}

impl Rebuild<'_> {
    /// Runs the pipeline until `work` is done.
    pub(crate) async fn run_during(
        &self,
        work: impl Future<Output = Result<(), ReplayError>>,
    ) -> Result<(), ReplayError> {
        let stopping = CancellationToken::new();
        let running = self.pipeline()?.run(stopping.clone());
        tokio::pin!(running);
        tokio::select! {
            ended = &mut running => {
                return Err(ended.err().map_or(ReplayError::PipelineEnded, Into::into));
            }
            done = work => done?,
        }
        stopping.cancel();
        Ok(running.await?)
    }

    fn pipeline(&self) -> Result<Pipeline, ReplayError> {
        let target = PipelineTarget {
            generation: self.generation,
            group: self.settings.projector.replay_group_of(self.generation),
            previous_group: self.previous_group.clone(),
            role: Role::Rebuild,
        };
        let offsets = Arc::<SharedOffsets>::default();
        let status = Arc::<PipelineStatus>::default();
        let settings = self.settings.clone();
        Ok(Pipeline::build(settings, target, offsets, status)?)
    }

    /// Waits until the generation has reached the current end of the topic, then once more for the records that arrived
    /// meanwhile.
    pub(crate) async fn catch_up(&self) -> Result<(), ReplayError> {
        for _ in 0..2 {
            let bounds = kafka::bounds(&self.settings.kafka).await?;
            let ends = bounds.iter().filter(|(_, at)| at.high > at.low);
            let ends = ends.map(|(partition, at)| (*partition, at.high)).collect();
            self.wait_until_projected(&ends).await?;
        }
        Ok(())
    }

    /// Waits until the generation has stored everything below these offsets, and shows the progress.
    pub(super) async fn wait_until_projected(
        &self,
        ends: &BTreeMap<u16, u64>,
    ) -> Result<(), ReplayError> {
        let total: u64 = ends.values().sum();
        let mut progress = ReplayProgress::new(total);
        loop {
            let projected = projected_offsets(self.settings, self.generation).await?;
            let each = ends.iter();
            let reached = each.map(|(p, end)| offset_of(&projected, *p).min(*end));
            let position = reached.sum();
            progress.set(position);
            if position == total {
                return Ok(());
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Brings the rows of `playbacks` up to date. A generation of an older version does not have that table.
    pub(crate) async fn roll_up(&self) -> Result<(), ReplayError> {
        let client = generation_client(&self.settings.clickhouse, self.generation);
        let rollup = Rollup::new(client);
        RetryPolicy::STARTUP
            .run("updating the table playbacks", || rollup.catch_up())
            .await?;
        Ok(())
    }

    /// The offsets that readers of a generation may have seen, including events whose progress was never recorded because their
    /// projector was killed.
    pub(super) async fn visible_offsets(
        &self,
        generation: u32,
    ) -> Result<BTreeMap<u16, u64>, ReplayError> {
        let mut visible = projected_offsets(self.settings, generation).await?;
        let client = generation_client(&self.settings.clickhouse, generation);
        let stored = "SELECT partition, max(offset) + 1 FROM events GROUP BY partition";
        for (partition, next) in client.query(stored).fetch_all::<(u16, u64)>().await? {
            let known = visible.entry(partition).or_default();
            *known = next.max(*known);
        }
        Ok(visible)
    }
}

/// The next offset of each partition that a generation has stored.
pub(crate) async fn projected_offsets(
    settings: &Settings,
    generation: u32,
) -> Result<BTreeMap<u16, u64>, ReplayError> {
    let client = generation_client(&settings.clickhouse, generation);
    let read = || progress::projected_offsets(&client);
    Ok(RetryPolicy::STARTUP.run("reading progress", read).await?)
}

pub(super) fn offset_of(offsets: &BTreeMap<u16, u64>, partition: u16) -> u64 {
    offsets.get(&partition).copied().unwrap_or_default()
}
