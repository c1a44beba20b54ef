//! The open model: requests are due at a rate, however long responses take. With enough connections none is ever late.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::scenario::Stages;
use crate::send::{Due, Sender};

/// Requests that are further behind than this at the end of the stages are not sent.
const MAX_BEHIND: Duration = Duration::from_secs(10);

/// Sends every request when it is due.
pub(super) async fn run(levels: Stages, connections: usize, sender: &Arc<Sender>, start: Instant) {
    let (levels, next) = (Arc::new(levels), Arc::new(AtomicU64::new(0)));
    let mut workers = JoinSet::new();
    for number in 0..connections {
        let (levels, next) = (Arc::clone(&levels), Arc::clone(&next));
        workers.spawn(worker(
            number as u32,
            levels,
            Arc::clone(sender),
            next,
            start,
        ));
    }
    while workers.join_next().await.is_some() {}
}

/// Claims the next request that is due, waits for it, and sends it.
async fn worker(
    number: u32,
    levels: Arc<Stages>,
    sender: Arc<Sender>,
    next: Arc<AtomicU64>,
    start: Instant,
) {
    let deadline = start + levels.duration() + MAX_BEHIND;
    while let Some(after) = levels.due(next.fetch_add(1, Ordering::Relaxed)) {
        if Instant::now() > deadline {
            sender.unsent.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let due = wait_until_due(start + after);
        let Some(due) = sender.stop.run_until_cancelled(due).await else {
            return;
        };
        let items = sender.take(sender.batch, number + 1);
        if items.is_empty() {
            return;
        }
        sender.send(&items, Some(due)).await;
    }
}

async fn wait_until_due(at: Instant) -> Due {
    let was_overdue = at < Instant::now();
    if !was_overdue {
        sleep_until(at).await;
    }
    Due { at, was_overdue }
}
