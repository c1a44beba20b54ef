//! A generation that is folded beside the active one: how far it is, and when it has caught up. It sends no dead letters (I9),
//! and never decides which generation is active.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ess_service::{clickhouse::generation_client, retry::RetryPolicy};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{error::ReplayError, progress::Told};
use crate::{
    commit::offsets::Offsets,
    commit::progress::Progress,
    config::Settings,
    kafka,
    pipeline::{Pipeline, Role, Target},
    rollup::Rollup,
    status::Vitals,
};

/// Between two looks at how far it has come.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A generation that is to take the place of the active one. It keeps its place in a consumer group of its own, so the live
/// projectors keep theirs.
pub(crate) struct Rebuild<'s> {
    pub(crate) settings: &'s Settings,
    pub(crate) active: u32,
    pub(crate) generation: u32,
    /// The group that folded into it before, if one did.
    pub(crate) predecessor: Option<String>,
}

impl Rebuild<'_> {
    /// Folds until `work` is done.
    pub(crate) async fn folding(
        &self,
        work: impl Future<Output = Result<(), ReplayError>>,
    ) -> Result<(), ReplayError> {
        let stopping = CancellationToken::new();
        let folding = self.pipeline()?.run(stopping.clone());
        tokio::pin!(folding);
        tokio::select! {
            ended = &mut folding => return Err(ended.err().map_or(ReplayError::Ended, Into::into)),
            done = work => done?,
        }
        stopping.cancel();
        Ok(folding.await?)
    }

    fn pipeline(&self) -> Result<Pipeline, ReplayError> {
        let target = Target {
            generation: self.generation,
            group: self.settings.projector.replay_group_of(self.generation),
            predecessor: self.predecessor.clone(),
            role: Role::Rebuild,
        };
        let (offsets, vitals) = (Arc::<Offsets>::default(), Arc::<Vitals>::default());
        Ok(Pipeline::build(
            self.settings.clone(),
            target,
            offsets,
            vitals,
        )?)
    }

    /// Folds up to the log's end as it is now, then to the end that this took it to.
    pub(crate) async fn catch_up(&self) -> Result<(), ReplayError> {
        for _ in 0..2 {
            let bounds = kafka::bounds(&self.settings.kafka).await?;
            let ends = bounds.iter().filter(|(_, at)| at.high > at.low);
            let ends = ends.map(|(partition, at)| (*partition, at.high)).collect();
            self.reach(&ends).await?;
        }
        Ok(())
    }

    /// Waits until the generation holds everything below these offsets, and tells how far it is.
    pub(super) async fn reach(&self, ends: &BTreeMap<u16, u64>) -> Result<(), ReplayError> {
        let total: u64 = ends.values().sum();
        let mut told = Told::new(total);
        loop {
            let held = self.held(self.generation).await?;
            let each = ends.iter();
            let reached: u64 = each.map(|(p, end)| held_of(&held, *p).min(*end)).sum();
            told.at(reached);
            if reached == total {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Makes the rows of playbacks hold what is stored. A generation of a version that knew no such rows has none.
    pub(crate) async fn roll_up(&self) -> Result<(), ReplayError> {
        let rollup = Rollup::new(generation_client(
            &self.settings.clickhouse,
            self.generation,
        ));
        let catch_up = || rollup.catch_up();
        RetryPolicy::STARTUP
            .run("making the rows of playbacks", catch_up)
            .await?;
        Ok(())
    }

    pub(super) async fn held(&self, generation: u32) -> Result<BTreeMap<u16, u64>, ReplayError> {
        held(self.settings, generation).await
    }

    /// How far a reader of a generation may have seen the log: also what was stored without being recorded as progress,
    /// because whoever stored it was killed.
    pub(super) async fn shown(&self, generation: u32) -> Result<BTreeMap<u16, u64>, ReplayError> {
        let mut shown = self.held(generation).await?;
        let client = generation_client(&self.settings.clickhouse, generation);
        let stored = "SELECT partition, max(offset) + 1 FROM events GROUP BY partition";
        for (partition, next) in client.query(stored).fetch_all::<(u16, u64)>().await? {
            let known = shown.entry(partition).or_default();
            *known = next.max(*known);
        }
        Ok(shown)
    }
}

/// How far a generation has been folded.
pub(crate) async fn held(
    settings: &Settings,
    generation: u32,
) -> Result<BTreeMap<u16, u64>, ReplayError> {
    let client = generation_client(&settings.clickhouse, generation);
    let progress = Progress::new(client, Arc::default());
    let read = || progress.read();
    Ok(RetryPolicy::STARTUP.run("reading progress", read).await?)
}

pub(super) fn held_of(held: &BTreeMap<u16, u64>, partition: u16) -> u64 {
    held.get(&partition).copied().unwrap_or_default()
}
