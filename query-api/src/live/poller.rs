//! The task of one question. It queries once an interval while there are subscribers, pauses without them, and ends when none has
//! returned for a while.

use std::time::Duration;

use tokio::{
    sync::{Notify, watch},
    time::{MissedTickBehavior, interval, timeout},
};

use super::{LiveSource, snapshot::Recent};
use crate::question::LiveQuestion;

/// How long events are retained without subscribers, for clients that reconnect.
const IDLE_RETENTION: Duration = Duration::from_mins(1);

/// Polls one question and publishes the answers as events.
#[derive(Debug)]
pub(super) struct Poller {
    pub(super) question: LiveQuestion,
    recent: watch::Sender<Recent>,
    wake: Notify,
}

impl Poller {
    pub(super) fn new(question: LiveQuestion) -> Self {
        Self {
            question,
            recent: watch::Sender::default(),
            wake: Notify::new(),
        }
    }

    /// Adds a subscriber, until the receiver is dropped.
    pub(super) fn subscribe(&self) -> watch::Receiver<Recent> {
        let receiver = self.recent.subscribe();
        self.wake.notify_one();
        receiver
    }

    /// Ends a pause early.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Whether there are no subscribers.
    pub(super) fn is_idle(&self) -> bool {
        self.recent.receiver_count() == 0
    }

    /// Polls once an interval until `may_end` returns true. It is called while there are no subscribers, with whether they have been
    /// missing for the entire retention.
    pub(super) async fn run(
        &self,
        source: &impl LiveSource,
        every: Duration,
        may_end: impl Fn(bool) -> bool,
    ) {
        loop {
            // The last subscriber that leaves cancels the query in flight.
            tokio::select! {
                () = self.recent.closed() => {}
                () = self.poll(source, every) => {}
            }
            while self.is_idle() {
                let expired = timeout(IDLE_RETENTION, self.wake.notified()).await.is_err();
                if may_end(expired) {
                    return;
                }
            }
        }
    }

    async fn poll(&self, source: &impl LiveSource, every: Duration) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match source.query(&self.question).await {
                Ok(query) => self.recent.send_modify(|recent| recent.add(query)),
                Err(problem) => tracing::debug!("skipped a live event: {problem}"),
            }
        }
    }
}
