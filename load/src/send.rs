//! Sends requests and notes what became of them: facts in the ledger, times in the record. Knows nothing of when anything is due
//! but what it is told.

pub(crate) mod kafka;
pub(crate) mod response;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ess_schema::{Position, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::facts::feed::{Feed, Item, Origin};
use crate::facts::ledger::{Fate, Ledger};
use crate::http::{HttpClient, HttpError, HttpRequest, HttpResponse};
use crate::record::{Ended, Record};
use crate::target::Outcome;
use response as answer;

const POSITION: &str = "ess-position";

/// What everybody who sends shares.
pub(crate) struct Sender {
    client: HttpClient,
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
            client: HttpClient::new(url),
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
        let answer = self.client.send(&self.request(&items)).await;
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
    pub(crate) async fn question(&self, client: &HttpClient, path: &str, due: Instant) {
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
        let response = client.send(&HttpRequest::get(path)).await;
        let status = response.map(|response| response.status.as_u16());
        // One that has been acknowledged a moment ago may not be stored yet.
        let status = status.map(|status| if status == 404 { 200 } else { status });
        self.record
            .read(due.elapsed(), status.map_err(|error| error.to_string()));
    }

    /// The ledger, once nobody sends any more.
    pub(crate) fn take_ledger(&self) -> Ledger {
        std::mem::take(&mut self.feed().ledger)
    }

    fn request(&self, items: &[Item]) -> HttpRequest {
        let bodies: Vec<_> = items.iter().map(|item| item.body.as_str()).collect();
        HttpRequest::post(self.path, self.media_type, bodies.join("\n"))
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
    response: Result<HttpResponse, HttpError>,
    count: usize,
) -> (Option<u16>, Vec<Outcome>, Vec<Position>) {
    match response {
        Ok(response) => {
            let status = response.status.as_u16();
            let outcomes = answer::read(status, &response.body, count);
            let positions = response.headers.get(POSITION);
            let positions = positions.and_then(|value| value.to_str().ok());
            let positions = positions.into_iter().flat_map(|text| text.split(','));
            let positions = positions.filter_map(|one| one.trim().parse().ok());
            (Some(status), outcomes, positions.collect())
        }
        Err(error) => {
            let reason = crate::target::Reason {
                kind: error.to_string(),
                detail: String::new(),
            };
            (None, vec![Outcome::Unknown(reason); count], Vec::new())
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
