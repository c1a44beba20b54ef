//! The task of one question: it asks once an interval while somebody listens, rests while nobody does, and ends when nobody has
//! come back for a while.

use std::time::Duration;

use tokio::{
    sync::{Notify, watch},
    time::{MissedTickBehavior, interval, timeout},
};

use super::{Source, snapshot::Recent};
use crate::question::LiveQuestion;

/// How long the last events are kept for those who may come back.
const REST: Duration = Duration::from_mins(1);

/// One question that is listened to, or was a moment ago.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) question: LiveQuestion,
    recent: watch::Sender<Recent>,
    bell: Notify,
}

impl Feed {
    pub(super) fn new(question: LiveQuestion) -> Self {
        Self {
            question,
            recent: watch::Sender::default(),
            bell: Notify::new(),
        }
    }

    /// One more who listens, until it is dropped.
    pub(super) fn join(&self) -> watch::Receiver<Recent> {
        let receiver = self.recent.subscribe();
        self.bell.notify_one();
        receiver
    }

    /// Ends a rest early.
    pub(super) fn wake(&self) {
        self.bell.notify_one();
    }

    /// Whether nobody listens.
    pub(super) fn is_idle(&self) -> bool {
        self.recent.receiver_count() == 0
    }

    /// Asks every so often until `may_end`, which is asked while nobody listens, and told whether that has lasted.
    pub(super) async fn run(
        &self,
        source: &impl Source,
        every: Duration,
        may_end: impl Fn(bool) -> bool,
    ) {
        loop {
            // Whoever leaves last takes the query under way along.
            tokio::select! {
                () = self.recent.closed() => {}
                () = self.ask(source, every) => {}
            }
            while self.is_idle() {
                let rested = timeout(REST, self.bell.notified()).await.is_err();
                if may_end(rested) {
                    return;
                }
            }
        }
    }

    async fn ask(&self, source: &impl Source, every: Duration) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match source.look(&self.question).await {
                Ok(look) => self.recent.send_modify(|recent| recent.add(look)),
                Err(problem) => tracing::debug!("what is playing now was not told: {problem}"),
            }
        }
    }
}
