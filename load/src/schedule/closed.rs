//! The closed model: each user sends its next request when it has the response to the one before.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::scenario::Stages;
use crate::send::Sender;

/// How often the number of users follows the stages.
const INTERVAL: Duration = Duration::from_millis(20);

/// Lets as many users send as the stages say; users above that end after their request.
pub(super) async fn run(levels: Stages, sender: &Arc<Sender>, start: Instant) {
    let mut users = JoinSet::new();
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut spawned = 0;
    while let Some(level) = levels.level(start.elapsed()) {
        let wanted = level.ceil() as u64;
        sender.users.store(wanted, Ordering::Relaxed);
        while spawned < wanted {
            users.spawn(user(spawned, Arc::clone(sender)));
            spawned += 1;
        }
        // Users above the level have ended or will end; when it rises again, they start anew.
        spawned = spawned.min(wanted);
        let tick = sender.stop.run_until_cancelled(ticks.tick());
        if tick.await.is_none() {
            break;
        }
    }
    sender.users.store(0, Ordering::Relaxed);
    while users.join_next().await.is_some() {}
}

async fn user(number: u64, sender: Arc<Sender>) {
    while number < sender.users.load(Ordering::Relaxed) && !sender.stop.is_cancelled() {
        let items = sender.take(sender.batch, number as u32 + 1);
        if items.is_empty() {
            return;
        }
        sender.send(&items, None).await;
    }
}
