//! Sends requests and records their outcome: the status of each fact in the ledger, times and counts in the record. Never decides
//! when anything is due.

pub(crate) mod kafka;
mod response;
mod retry;
pub(crate) mod target;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ess_schema::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::facts::feed::{FactFeed, Item};
use crate::facts::ledger::{FactStatus, Ledger};
use crate::http::{HttpClient, HttpRequest};
use crate::record::outcome::Outcome;
use crate::record::{Recorder, Timing};
use target::Target;

/// The state that all tasks that send share.
pub(crate) struct Sender {
    target: Target,
    /// Facts per request.
    pub(crate) batch: usize,
    retries: bool,
    feed: Mutex<FactFeed>,
    pub(crate) record: Recorder,
    pub(crate) in_flight: AtomicU64,
    pub(crate) users: AtomicU64,
    /// Requests that were due and never sent, because the run was too far behind.
    pub(crate) unsent: AtomicU64,
    pub(crate) stop: CancellationToken,
}

/// When a request was due, and whether every connection was busy then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) at: Instant,
    pub(crate) was_overdue: bool,
}

impl Sender {
    /// A sender that leaves a fact without a response as it is.
    pub(crate) fn new(
        target: Target,
        batch: usize,
        feed: FactFeed,
        stop: CancellationToken,
    ) -> Self {
        Self {
            target,
            batch,
            retries: false,
            feed: Mutex::new(feed),
            record: Recorder::default(),
            in_flight: AtomicU64::new(0),
            users: AtomicU64::new(0),
            unsent: AtomicU64::new(0),
            stop,
        }
    }

    /// The same, but facts whose outcome is unknown are sent again, and the run stops when that does not help.
    pub(crate) fn with_retries(self) -> Self {
        Self {
            retries: true,
            ..self
        }
    }

    /// The next facts for a request of this user, at most `count`; none when there are no more.
    pub(crate) fn take(&self, count: usize, user: u32) -> Vec<Item> {
        // A clock before 1970 was refused at the start of the run.
        let now = clock::now().unwrap_or(Timestamp::EPOCH);
        self.feed().take(count, user, now)
    }

    /// Sends one request, and waits for its outcome.
    pub(crate) async fn send(&self, items: &[Item], due: Option<Due>) {
        let left = Instant::now();
        self.set_status(items, |_| FactStatus::Unknown);
        self.record.sent(items.len());
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let every: Vec<_> = items.iter().collect();
        let delivery = if self.retries {
            retry::deliver_with_retries(&self.target, &every, &self.stop).await
        } else {
            self.target.deliver(&every).await
        };
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let outcomes = &delivery.outcomes;
        self.set_status(items, |at| status(&outcomes[at]));
        if self.retries && outcomes.iter().any(|o| matches!(o, Outcome::Unknown(_))) {
            // The facts after it would have the same outcome.
            self.stop.cancel();
        }
        let timing = Timing {
            took: due.map_or(left, |due| due.at).elapsed(),
            late: due.map(|due| left.saturating_duration_since(due.at)),
            was_overdue: due.is_some_and(|due| due.was_overdue),
        };
        self.record.finished(items, delivery, &timing);
    }

    /// Sends one question to the query-api. `{playback}` in the path stands for a playback that was acknowledged lately.
    pub(crate) async fn query(&self, client: &HttpClient, path: &str, due: Instant) {
        let path = match self.record.recent_playback() {
            Some(playback) => path.replace("{playback}", &playback),
            // No playback is known yet.
            None if path.contains("{playback}") => return,
            None => path.to_owned(),
        };
        let response = client.send(&HttpRequest::get(path)).await;
        let status = match response {
            // A playback that was acknowledged a moment ago may not be stored yet.
            Ok(response) if response.status == 404 => Ok(200),
            Ok(response) => Ok(response.status.as_u16()),
            Err(error) => Err(error.to_string()),
        };
        self.record.queried(due.elapsed(), status);
    }

    /// Moves the ledger out, once nothing is sent any more.
    pub(crate) fn take_ledger(&self) -> Ledger {
        self.feed().take_ledger()
    }

    fn set_status(&self, items: &[Item], status: impl Fn(usize) -> FactStatus) {
        let mut feed = self.feed();
        for (at, item) in items.iter().enumerate() {
            feed.set_status(item.number, status(at));
        }
    }

    fn feed(&self) -> MutexGuard<'_, FactFeed> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn status(outcome: &Outcome) -> FactStatus {
    match outcome {
        Outcome::Acknowledged => FactStatus::Acknowledged,
        Outcome::Refused(_) => FactStatus::Refused,
        Outcome::Unknown(_) => FactStatus::Unknown,
    }
}
