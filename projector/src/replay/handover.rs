//! The switch to another generation in which no reader sees an older value: the projectors leave the active generation, the other
//! one catches up with everything that it shows, and then becomes the active one in one step.

use std::time::Duration;

use ess_service::clickhouse::{begin_handover, promote as mark_active};
use tokio::time::{Instant, sleep, timeout};

use super::{
    error::ReplayError,
    rebuild::{POLL_INTERVAL, Rebuild},
};
use crate::{command::print, kafka};

/// How long to wait for projectors to join the new group after the switch.
const JOIN_TIMEOUT: Duration = Duration::from_mins(1);

impl Rebuild<'_> {
    /// Makes the generation the active one; the projectors of the previous one write to it afterwards.
    pub(crate) async fn promote(&self) -> Result<(), ReplayError> {
        let projector = &self.settings.projector;
        let (from, to) = (
            projector.group_of(self.active),
            projector.group_of(self.generation),
        );
        let before = kafka::membership(&self.settings.kafka, &from).await?;
        self.hand_over(&from).await?;
        print(&format!("generation {} is active", self.generation));
        if before.members == 0 {
            print("no projector is running; start `projector run` to keep it up to date");
            return Ok(());
        }
        self.wait_for_projectors(&to).await
    }

    async fn hand_over(&self, from: &str) -> Result<(), ReplayError> {
        let (clickhouse, generation) = (&self.settings.clickhouse, self.generation);
        let lease = self.settings.projector.handover;
        begin_handover(clickhouse, generation, lease).await?;
        let timed_out = |reason| ReplayError::HandoverTimedOut {
            generation,
            lease,
            reason,
        };
        let catch_up = async {
            self.wait_until_left(from).await?;
            // No projector writes to the active generation any more, so these offsets are final.
            let visible = self.visible_offsets(self.active).await?;
            self.wait_until_projected(&visible).await?;
            // The rows of playbacks must not be older than those of the active generation either.
            self.roll_up().await
        };
        let late =
            "projectors did not leave the active generation, or the new one did not catch up";
        timeout(lease, catch_up)
            .await
            .map_err(|_| timed_out(late))??;
        if mark_active(clickhouse, generation).await? {
            Ok(())
        } else {
            Err(timed_out("the time was over before the switch"))
        }
    }

    async fn wait_until_left(&self, group: &str) -> Result<(), ReplayError> {
        let kafka = &self.settings.kafka;
        while kafka::membership(kafka, group).await?.members > 0 {
            sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// Waits until projectors have the partitions. The rebuild's pipeline runs meanwhile, so that answers stay fresh.
    async fn wait_for_projectors(&self, group: &str) -> Result<(), ReplayError> {
        let (kafka, deadline) = (&self.settings.kafka, Instant::now() + JOIN_TIMEOUT);
        while !kafka::membership(kafka, group).await?.is_assigned() {
            if Instant::now() > deadline {
                tracing::warn!(
                    "no projector has joined group {group} within {JOIN_TIMEOUT:?}; check that `projector run` is running"
                );
                return Ok(());
            }
            self.roll_up().await?;
            sleep(POLL_INTERVAL).await;
        }
        print("the projectors have switched to it");
        Ok(())
    }
}
