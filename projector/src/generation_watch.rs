//! Watches which generation a live projector must write to. It must never decide that.

use std::time::Duration;

use ess_service::{
    clickhouse::{ReadModelError, target_generation},
    config::ClickHouseConfig,
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::status::{PipelineStatus, Stage};

const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Longer than a healthy server needs.
const QUERY_TIMEOUT: Duration = Duration::from_secs(5);

/// Watches whether a generation is still the target.
#[derive(Debug, Clone)]
pub(crate) struct GenerationWatch {
    pub(crate) clickhouse: ClickHouseConfig,
    pub(crate) generation: u32,
}

impl GenerationWatch {
    /// Waits until another generation is the target. While the target is unknown, the projector stays with this generation
    /// and is not ready (I11), also when there is nothing to store.
    pub(crate) async fn wait_for_change(&self, status: &PipelineStatus) {
        loop {
            sleep(POLL_INTERVAL).await;
            match self.other_target().await {
                Ok(Some(to)) => {
                    let from = self.generation;
                    tracing::info!(from, to, "leaving generation {from} for generation {to}");
                    return;
                }
                Ok(None) => status.mark_healthy(Stage::Generations),
                Err(reason) => status.mark_blocked(Stage::Generations, reason),
            }
        }
    }

    /// Waits until this generation is the target; returns false when stopped before.
    ///
    /// A handover waits until this generation's group has no members, and may have looked before this projector joined. So
    /// the projector checks after joining and before consuming: one of the two sees the other.
    pub(crate) async fn is_target(&self, stopping: &CancellationToken) -> bool {
        tokio::select! {
            () = self.wait_until_target() => true,
            () = stopping.cancelled() => false,
        }
    }

    /// An error ends the wait: a server that cannot answer this query does not accept rows either.
    async fn wait_until_target(&self) {
        let generation = self.generation;
        loop {
            match self.other_target().await {
                Ok(Some(target)) => {
                    tracing::info!(
                        generation,
                        target,
                        "not consuming for generation {generation}: the handover to generation {target} is under way"
                    );
                }
                Ok(None) => return,
                Err(reason) => {
                    tracing::warn!(
                        "cannot look up the generations, staying with generation {generation}: {reason}"
                    );
                    return;
                }
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// The target, if it is another generation.
    async fn other_target(&self) -> Result<Option<u32>, String> {
        let query = async {
            let target = target_generation(&self.clickhouse).await?;
            let target = target.map(|target| target.generation);
            Ok(target.filter(|target| *target != self.generation))
        };
        timeout(QUERY_TIMEOUT, query)
            .await
            .map_err(|_| format!("no response within {QUERY_TIMEOUT:?}"))?
            .map_err(|error: ReadModelError| error.to_string())
    }
}
