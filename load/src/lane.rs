//! One lane: sends its share of the playbacks, one request at a time, so that each playback's facts arrive in their order.
//! What waits for it is bounded; when that is full, whoever feeds it waits.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::tally::Tally;
use crate::target::{Outcome, Target};
use crate::timeline::Fact;

/// A fact on its way.
#[derive(Debug)]
pub(crate) struct Due {
    /// Counts the facts of the run from 0.
    pub(crate) number: u64,
    pub(crate) fact: Fact,
    /// When it should leave; none for as soon as possible.
    pub(crate) at: Option<Instant>,
}

/// One lane.
pub(crate) struct Lane {
    inbox: mpsc::Receiver<Due>,
    /// Facts a request, at most.
    batch: usize,
    target: Arc<Target>,
    tally: Arc<Tally>,
    stop: CancellationToken,
}

impl Lane {
    /// A lane and the way into it.
    pub(crate) fn new(
        batch: usize,
        target: &Arc<Target>,
        tally: &Arc<Tally>,
        stop: &CancellationToken,
    ) -> (mpsc::Sender<Due>, Self) {
        // One request fills up while the one before is under way.
        let (inlet, inbox) = mpsc::channel(batch.max(8));
        let lane = Self {
            inbox,
            batch,
            target: Arc::clone(target),
            tally: Arc::clone(tally),
            stop: stop.clone(),
        };
        (inlet, lane)
    }

    /// Sends until there is nothing more to send or the run stops. Ends the run when the target does not take a fact,
    /// however often it is repeated: the facts after it would not fare better.
    pub(crate) async fn run(mut self) {
        let mut batch = Vec::with_capacity(self.batch);
        loop {
            let taking = self.inbox.recv_many(&mut batch, self.batch);
            match self.stop.run_until_cancelled(taking).await {
                None | Some(0) => return,
                Some(_) => self.send(&batch).await,
            }
            batch.clear();
        }
    }

    async fn send(&self, batch: &[Due]) {
        let left = Instant::now();
        self.tally.leaves(batch, left);
        let delivery = self.target.deliver(batch, &self.stop).await;
        let is_lost = |outcome: &Outcome| matches!(outcome, Outcome::Unknown(_));
        if delivery.outcomes.iter().any(is_lost) {
            self.stop.cancel();
        }
        self.tally.arrived(batch, delivery, left);
    }
}
