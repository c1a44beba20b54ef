//! One open stream. Each step returns the event that is due then. Nothing is prepared before it is read, so that a client that does
//! not read costs a permit and nothing else.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use ess_schema::Position;
use poem::web::sse::Event;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::timeout,
};

use super::{
    LastEventId, StreamStart,
    snapshot::{Recent, Snapshot},
};
use crate::config::LiveConfig;

const SUBSCRIBERS: &str = "ess_query_live_listeners";
/// A comment, which event sources ignore.
const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// A subscriber of one question.
pub(super) struct Subscriber {
    recent: watch::Receiver<Recent>,
    /// The last event before the client reconnected, until it has received the events that it missed.
    replay_after: Option<LastEventId>,
    last_sent: Option<LastEventId>,
    after: Vec<Position>,
    /// The first thing to send: how long the client waits before it reconnects.
    retry: Option<Duration>,
    heartbeat: Duration,
    /// An event older than this is not sent as the newest.
    max_age: Duration,
    _permit: SubscriberPermit,
}

/// A permit for one open stream.
pub(super) struct SubscriberPermit {
    _permit: OwnedSemaphorePermit,
}

impl SubscriberPermit {
    pub(super) fn new(permit: OwnedSemaphorePermit) -> Self {
        metrics::gauge!(SUBSCRIBERS).increment(1.0);
        Self { _permit: permit }
    }

    pub(super) fn describe() {
        metrics::describe_gauge!(SUBSCRIBERS, "open streams of what is playing now");
    }
}

impl Drop for SubscriberPermit {
    fn drop(&mut self) {
        metrics::gauge!(SUBSCRIBERS).decrement(1.0);
    }
}

impl Subscriber {
    pub(super) fn new(
        recent: watch::Receiver<Recent>,
        StreamStart { last, after }: StreamStart,
        config: &LiveConfig,
        permit: SubscriberPermit,
    ) -> Self {
        Self {
            recent,
            replay_after: last,
            last_sent: last,
            after,
            retry: Some(config.interval),
            heartbeat: config.heartbeat,
            max_age: config.interval * 2,
            _permit: permit,
        }
    }

    /// Waits for the next bytes to send; `None` at the end of the stream.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        if let Some(retry) = self.retry.take() {
            let event = Event::retry(retry.as_millis() as u64);
            return Some(event.to_string().into());
        }
        loop {
            if let Some(snapshot) = self.next_due() {
                self.last_sent = Some(snapshot.id);
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

    /// The oldest missed event, or else the newest if it was not sent yet.
    fn next_due(&mut self) -> Option<Arc<Snapshot>> {
        let recent = self.recent.borrow_and_update();
        if let Some(last) = self.replay_after {
            let missed = recent.next(last, &self.after);
            self.replay_after = missed.as_ref().map(|missed| missed.id);
            if missed.is_some() {
                return missed;
            }
        }
        let newest = recent.newest(self.max_age)?;
        let is_new = Some(newest.id) != self.last_sent && newest.includes(&self.after);
        is_new.then_some(newest)
    }
}
