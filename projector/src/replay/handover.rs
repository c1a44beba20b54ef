//! The switch to a rebuilt generation, so that no reader sees an older value: projectors leave the active generation, which
//! stands still from then on; the new one catches up with all of it; only then it becomes the active one, in one step.

use std::time::Duration;

use ess_service::clickhouse::{HANDOVER_LEASE_SECONDS, begin_handover, promote as mark_active};
use tokio::time::{Instant, sleep, timeout};

use super::{LOOK_EVERY, Rebuild, error::ReplayError, log, say};

/// How long projectors may take to come over after the switch before this is told and left to them.
const COME_OVER_WITHIN: Duration = Duration::from_mins(1);

/// Makes the generation the active one; whoever folded into the one before folds into this one afterwards.
pub(super) async fn promote(rebuild: &Rebuild<'_>) -> Result<(), ReplayError> {
    let (kafka, projector) = (&rebuild.settings.kafka, &rebuild.settings.projector);
    let (from, to) = (
        projector.group_of(rebuild.active),
        projector.group_of(rebuild.generation),
    );
    let live = log::members(kafka, &from).await?;
    hand_over(rebuild, &from).await?;
    say(&format!("generation {} is active", rebuild.generation));
    if live == 0 {
        say("no projector was running: `projector run` folds into it from here");
        return Ok(());
    }
    come_over(rebuild, &to).await
}

async fn hand_over(rebuild: &Rebuild<'_>, from: &str) -> Result<(), ReplayError> {
    let (clickhouse, generation) = (&rebuild.settings.clickhouse, rebuild.generation);
    begin_handover(clickhouse, generation).await?;
    let lease = Duration::from_secs(HANDOVER_LEASE_SECONDS.into());
    let lapsed = |why: &str| ReplayError::Lapsed(generation, why.to_owned());
    let ready = async {
        wait_until_left(rebuild, from).await?;
        // The active generation stands still: what it holds now is all that it ever showed.
        let held = rebuild.held(rebuild.active).await?;
        rebuild.reach(&held).await
    };
    let late = lapsed("projectors did not leave it, or the new one did not catch up");
    timeout(lease, ready).await.map_err(|_| late)??;
    if mark_active(clickhouse, generation).await? {
        Ok(())
    } else {
        Err(lapsed("it was over before the switch"))
    }
}

async fn wait_until_left(rebuild: &Rebuild<'_>, group: &str) -> Result<(), ReplayError> {
    while log::members(&rebuild.settings.kafka, group).await? > 0 {
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Goes on folding until a projector does, so that answers stay fresh.
async fn come_over(rebuild: &Rebuild<'_>, group: &str) -> Result<(), ReplayError> {
    let late = Instant::now() + COME_OVER_WITHIN;
    while log::members(&rebuild.settings.kafka, group).await? == 0 {
        if Instant::now() > late {
            tracing::warn!("no projector has joined group {group} yet: is `projector run` alive?");
            return Ok(());
        }
        sleep(LOOK_EVERY).await;
    }
    say("the projectors have come over");
    Ok(())
}
