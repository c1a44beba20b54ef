//! Which generation is to be folded into, as a live projector follows it. It never decides that.

use std::time::Duration;

use ess_service::{
    clickhouse::{ReadModelError, target_generation},
    config::ClickHouseConfig,
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::status::{Stage, Vitals};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Longer than a server in order needs for a look.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Watches whether one generation stays the one to fold into.
#[derive(Debug, Clone)]
pub(crate) struct CourseWatch {
    pub(crate) clickhouse: ClickHouseConfig,
    pub(crate) generation: u32,
}

impl CourseWatch {
    /// Waits until another generation is to be folded into. While nobody says which, this one stays, and the projector is
    /// not ready (I11), also when there is nothing to store.
    pub(crate) async fn until_off(&self, vitals: &Vitals) {
        loop {
            sleep(LOOK_EVERY).await;
            match self.look().await {
                Ok(Some(next)) => {
                    let (from, to) = (self.generation, next);
                    tracing::info!(from, to, "leaving generation {from} for generation {to}");
                    return;
                }
                Ok(None) => vitals.works(Stage::Generations),
                Err(reason) => vitals.hindered(Stage::Generations, reason),
            }
        }
    }

    async fn look(&self) -> Result<Option<u32>, String> {
        let answered = timeout(ANSWERS_WITHIN, self.next()).await;
        answered
            .map_err(|_| format!("no answer within {ANSWERS_WITHIN:?}"))?
            .map_err(|error| error.to_string())
    }

    /// Whoever hands over waits until the group of this generation has no members, and may have looked before this projector
    /// joined it. So this is asked after joining and before anything is taken: one of the two sees the other. Waits while
    /// another generation is to be folded into. False: told to stop.
    pub(crate) async fn is_on(&self, stopping: &CancellationToken) -> bool {
        tokio::select! {
            () = self.until_on() => true,
            () = stopping.cancelled() => false,
        }
    }

    /// A server that does not say which generation it is takes no rows either.
    async fn until_on(&self) {
        loop {
            let generation = self.generation;
            match self.look().await {
                Ok(Some(next)) => {
                    tracing::info!(
                        generation,
                        next,
                        "nothing is taken for generation {generation}: {next} is being handed over to"
                    );
                }
                Ok(None) => return,
                Err(reason) => {
                    tracing::warn!(
                        "the generations cannot be looked up, {generation} stays: {reason}"
                    );
                    return;
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The generation to fold into, if it is another one.
    async fn next(&self) -> Result<Option<u32>, ReadModelError> {
        let now = target_generation(&self.clickhouse)
            .await?
            .map(|now| now.generation);
        Ok(now.filter(|next| *next != self.generation))
    }
}
