//! Sends requests and notes what became of them: facts in the ledger, times in the record. Knows nothing of when anything is due
//! but what it is told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ess_schema::{Position, Timestamp};
use hyper::Method;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::{Answer, Ask, Pool};
use super::facts::{Feed, Item, Origin};
use super::ledger::{Fate, Ledger};
use super::record::{Ended, Record};
use crate::clock;
use crate::target::{Outcome, answer};

/// What everybody who sends shares.
pub(crate) struct Sender {
    pool: Pool,
    path: &'static str,
    media_type: &'static str,
    batch: usize,
    feed: Mutex<Feed>,
    /// A playback acknowledged lately, for whoever asks.
    recent: Mutex<Option<String>>,
    pub(crate) record: Record,
    pub(crate) in_flight: AtomicU64,
    pub(crate) users: AtomicU64,
    /// Requests that were due and never sent, because the run was too far behind.
    pub(crate) unsent: AtomicU64,
    pub(crate) stop: CancellationToken,
}

/// When a request was due, and whether anybody was free to send it then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) at: Instant,
    pub(crate) was_overdue: bool,
}

impl Sender {
    pub(crate) fn new(url: &str, origin: Origin, batch: usize, stop: CancellationToken) -> Self {
        Self {
            pool: Pool::new(url),
            path: origin.path(),
            media_type: origin.media_type(batch),
            batch,
            feed: Mutex::new(Feed::new(origin)),
            recent: Mutex::default(),
            record: Record::new(),
            in_flight: AtomicU64::new(0),
            users: AtomicU64::new(0),
            unsent: AtomicU64::new(0),
            stop,
        }
    }

    /// The next facts for a request of this user; none when there are no more.
    pub(crate) fn take(&self, user: u32) -> Vec<Item> {
        // A clock before 1970 was refused when the run began.
        let now = clock::now().unwrap_or(Timestamp::EPOCH);
        self.feed().take(self.batch, user, now)
    }

    /// Sends one request, and waits for what becomes of it.
    pub(crate) async fn send(&self, items: Vec<Item>, due: Option<Due>) {
        let left = Instant::now();
        self.note(&items, |_| Fate::Unknown);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let answer = self.pool.send(&self.ask(&items)).await;
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let took = due.map_or(left, |due| due.at).elapsed();
        let late = due.map(|due| left.saturating_duration_since(due.at));
        let (status, outcomes, positions) = read(answer, items.len());
        self.note(&items, |at| fate(&outcomes[at]));
        let acknowledged = outcomes.iter().filter(|o| **o == Outcome::Acknowledged);
        let acknowledged = acknowledged.count() as u64;
        self.remember(&items, &outcomes);
        self.record.ended(Ended {
            took,
            late,
            was_overdue: due.is_some_and(|due| due.was_overdue),
            facts: items.len() as u64,
            acknowledged,
            status,
            problems: outcomes.into_iter().filter_map(problem).collect(),
            positions,
        });
    }

    /// Asks the query-api.
    pub(crate) async fn question(&self, pool: &Pool, path: &str, due: Instant) {
        let recent = self
            .recent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let path = match recent {
            Some(playback) => path.replace("{playback}", &playback),
            // Nothing can be asked about yet.
            None if path.contains("{playback}") => return,
            None => path.to_owned(),
        };
        let ask = Ask {
            method: Method::GET,
            path,
            media_type: None,
            body: bytes::Bytes::new(),
        };
        let status = pool.send(&ask).await.map(|answer| answer.status);
        // One that has been acknowledged a moment ago may not be stored yet.
        let status = status.map(|status| if status == 404 { 200 } else { status });
        self.record.read(due.elapsed(), status);
    }

    /// The ledger, once nobody sends any more.
    pub(crate) fn take_ledger(&self) -> Ledger {
        std::mem::take(&mut self.feed().ledger)
    }

    fn ask(&self, items: &[Item]) -> Ask {
        let bodies: Vec<_> = items.iter().map(|item| item.body.as_str()).collect();
        Ask {
            method: Method::POST,
            path: self.path.to_owned(),
            media_type: Some(self.media_type),
            body: bodies.join("\n").into(),
        }
    }

    fn note(&self, items: &[Item], fate: impl Fn(usize) -> Fate) {
        let mut feed = self.feed();
        for (at, item) in items.iter().enumerate() {
            feed.ledger.set(item.number, fate(at));
        }
    }

    fn remember(&self, items: &[Item], outcomes: &[Outcome]) {
        let mut told = items.iter().zip(outcomes);
        let acknowledged = told.find(|(_, outcome)| **outcome == Outcome::Acknowledged);
        if let Some(playback) = acknowledged.and_then(|(item, _)| item.playback.clone()) {
            *self.recent.lock().unwrap_or_else(PoisonError::into_inner) = Some(playback);
        }
    }

    fn feed(&self) -> MutexGuard<'_, Feed> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(
    answer: Result<Answer, String>,
    count: usize,
) -> (Option<u16>, Vec<Outcome>, Vec<Position>) {
    match answer {
        Ok(answer) => {
            let outcomes = answer::read(answer.status, &answer.body, count);
            let positions = answer.positions.unwrap_or_default();
            let positions = positions
                .split(',')
                .filter_map(|one| one.trim().parse().ok());
            (Some(answer.status), outcomes, positions.collect())
        }
        Err(kind) => {
            let detail = String::new();
            let unknown = Outcome::Unknown(crate::target::Reason { kind, detail });
            (None, vec![unknown; count], Vec::new())
        }
    }
}

fn fate(outcome: &Outcome) -> Fate {
    match outcome {
        Outcome::Acknowledged => Fate::Acknowledged,
        Outcome::Refused(_) => Fate::Refused,
        Outcome::Unknown(_) => Fate::Unknown,
    }
}

fn problem(outcome: Outcome) -> Option<(String, String)> {
    match outcome {
        Outcome::Acknowledged => None,
        Outcome::Refused(reason) | Outcome::Unknown(reason) => Some((reason.kind, reason.detail)),
    }
}
