//! One open stream. Each step gives the bytes that are right at that moment; nothing is made before it is read, so one that does
//! not read costs its place and nothing else.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ess_schema::Position;
use poem::web::sse::Event;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::timeout,
};

use super::{
    Begin, LastEventId,
    snapshot::{Recent, Snapshot},
};
use crate::config::LiveConfig;

const LISTENERS: &str = "ess_query_live_listeners";
/// A comment, which event sources pass over.
const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// One who listens.
pub(super) struct Listener {
    recent: watch::Receiver<Recent>,
    /// What the client read before it came back, until it has been told what it missed since.
    missed_since: Option<LastEventId>,
    told: Option<LastEventId>,
    after: Vec<Position>,
    /// What to begin with: how long the client is to wait before it comes back.
    retry: Option<Duration>,
    heartbeat: Duration,
    /// An event older than this is not told as the newest.
    most_age: Duration,
    _place: Place,
}

/// The right to listen, until it is dropped.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Place {
    pub(super) fn new(permit: OwnedSemaphorePermit) -> Self {
        metrics::gauge!(LISTENERS).increment(1.0);
        Self { _permit: permit }
    }

    pub(super) fn describe() {
        metrics::describe_gauge!(LISTENERS, "open streams of what is playing now");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!(LISTENERS).decrement(1.0);
    }
}

impl Listener {
    pub(super) fn new(
        recent: watch::Receiver<Recent>,
        Begin { last, after }: Begin,
        config: &LiveConfig,
        place: Place,
    ) -> Self {
        Self {
            recent,
            missed_since: last,
            told: last,
            after,
            retry: Some(config.interval),
            heartbeat: config.heartbeat,
            most_age: config.interval * 2,
            _place: place,
        }
    }

    /// What to send next, once there is something; none when the stream is at its end.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        if let Some(retry) = self.retry.take() {
            let event = Event::retry(retry.as_millis() as u64);
            return Some(event.to_string().into());
        }
        loop {
            if let Some(snapshot) = self.take() {
                self.told = Some(snapshot.id);
                return Some(snapshot.event.clone());
            }
            let changed = timeout(self.heartbeat, self.recent.changed());
            match changed.await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some(HEARTBEAT),
            }
        }
    }

    /// The oldest that was missed; when none was, the newest, if that is news.
    fn take(&mut self) -> Option<Arc<Snapshot>> {
        let recent = self.recent.borrow_and_update();
        if let Some(last) = self.missed_since {
            let missed = recent.next(last, &self.after);
            self.missed_since = missed.as_ref().map(|missed| missed.id);
            if missed.is_some() {
                return missed;
            }
        }
        let newest = recent.newest(self.most_age)?;
        let is_news = Some(newest.id) != self.told && newest.holds(&self.after);
        is_news.then_some(newest)
    }
}
