//! The switch to another generation, so that no reader sees an older value: projectors leave the active generation, which
//! stands still from then on; the other one catches up with all of it; only then it becomes the active one, in one step.

use std::time::Duration;

use ess_service::clickhouse::{begin_handover, promote as mark_active};
use tokio::time::{Instant, sleep, timeout};

use super::{
    error::ReplayError,
    rebuild::{LOOK_EVERY, Rebuild},
};
use crate::{command::say, kafka};

/// How long projectors may take to come over after the switch before this is told and left to them.
const COME_OVER_WITHIN: Duration = Duration::from_mins(1);

impl Rebuild<'_> {
    /// Makes the generation the active one; whoever folded into the one before folds into this one afterwards.
    pub(crate) async fn promote(&self) -> Result<(), ReplayError> {
        let projector = &self.settings.projector;
        let (from, to) = (
            projector.group_of(self.active),
            projector.group_of(self.generation),
        );
        let live = kafka::membership(&self.settings.kafka, &from)
            .await?
            .members;
        self.hand_over(&from).await?;
        say(&format!("generation {} is active", self.generation));
        if live == 0 {
            say("no projector was running: `projector run` folds into it from here");
            return Ok(());
        }
        self.come_over(&to).await
    }

    async fn hand_over(&self, from: &str) -> Result<(), ReplayError> {
        let (clickhouse, generation) = (&self.settings.clickhouse, self.generation);
        let lease = self.settings.projector.handover;
        begin_handover(clickhouse, generation, lease).await?;
        let lapsed = |why: &str| ReplayError::Lapsed(generation, lease, why.to_owned());
        let ready = async {
            self.wait_until_left(from).await?;
            // The active generation stands still: what it shows now is all that it ever showed.
            let shown = self.shown(self.active).await?;
            self.reach(&shown).await?;
            // Its rows of playbacks, too: none shows less than the active generation's did.
            self.roll_up().await
        };
        let late = lapsed("projectors did not leave it, or the other one did not catch up");
        timeout(lease, ready).await.map_err(|_| late)??;
        if mark_active(clickhouse, generation).await? {
            Ok(())
        } else {
            Err(lapsed("it was over before the switch"))
        }
    }

    async fn wait_until_left(&self, group: &str) -> Result<(), ReplayError> {
        while kafka::membership(&self.settings.kafka, group)
            .await?
            .members
            > 0
        {
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Goes on folding until projectors have the partitions, so that answers stay fresh.
    async fn come_over(&self, group: &str) -> Result<(), ReplayError> {
        let late = Instant::now() + COME_OVER_WITHIN;
        while !kafka::membership(&self.settings.kafka, group)
            .await?
            .works()
        {
            if Instant::now() > late {
                tracing::warn!(
                    "no projector has joined group {group} yet: is `projector run` alive?"
                );
                return Ok(());
            }
            self.roll_up().await?;
            sleep(LOOK_EVERY).await;
        }
        say("the projectors have come over");
        Ok(())
    }
}
