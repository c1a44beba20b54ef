//! The records of one request on their way to the log: one slot a record, and a countdown that wakes the request once.
//! No lock, and no wake-up a record.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use super::{AppendError, Outcome};

/// The outcomes of one request's records, as far as they are known.
#[derive(Debug)]
pub(super) struct Batch {
    outcomes: Box<[OnceLock<Outcome>]>,
    open: AtomicUsize,
    all_known: Notify,
}

/// The right to settle one record's outcome. Dropped without that, it leaves the outcome unknown.
#[derive(Debug)]
pub(super) struct PendingRecord {
    batch: Arc<Batch>,
    index: usize,
}

impl Batch {
    /// A batch of `count` records, with a ticket for each.
    pub(super) fn of(count: usize) -> (Arc<Self>, impl Iterator<Item = Box<PendingRecord>>) {
        let batch = Arc::new(Self {
            outcomes: (0..count).map(|_| OnceLock::new()).collect(),
            open: AtomicUsize::new(count),
            all_known: Notify::new(),
        });
        let of = Arc::clone(&batch);
        let tickets = (0..count).map(move |index| {
            let batch = Arc::clone(&of);
            Box::new(PendingRecord { batch, index })
        });
        (batch, tickets)
    }

    /// Waits until no ticket is open.
    pub(super) async fn settled(&self) {
        if self.open.load(Ordering::Acquire) > 0 {
            self.all_known.notified().await;
        }
    }

    /// What is known now.
    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        let known = |slot: &OnceLock<Outcome>| slot.get().copied();
        self.outcomes
            .iter()
            .map(|slot| known(slot).unwrap_or(Err(AppendError::Unknown)))
            .collect()
    }
}

impl PendingRecord {
    /// Says what became of the record.
    pub(super) fn settle(self, outcome: Outcome) {
        // A ticket is used up by settling it, so its slot is still empty.
        let _ = self.batch.outcomes[self.index].set(outcome);
    }
}

impl Drop for PendingRecord {
    fn drop(&mut self) {
        if self.batch.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Keeps its permit when nobody waits yet.
            self.batch.all_known.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use ess_schema::Position;
    use futures::FutureExt;

    use super::*;

    const SEVEN: Outcome = Ok(Position {
        partition: 0,
        offset: 7,
    });
    const EIGHT: Outcome = Ok(Position {
        partition: 0,
        offset: 8,
    });

    #[test]
    fn a_batch_is_settled_only_when_its_last_record_is() {
        let (batch, mut tickets) = Batch::of(2);
        let (first, second) = (tickets.next().unwrap(), tickets.next().unwrap());
        second.settle(EIGHT);
        assert_eq!(batch.settled().now_or_never(), None);
        first.settle(SEVEN);
        assert_eq!(batch.settled().now_or_never(), Some(()));
        assert_eq!(batch.outcomes(), [SEVEN, EIGHT]);
    }

    #[test]
    fn the_last_report_wakes_the_request_that_waits() {
        let (batch, mut tickets) = Batch::of(1);
        let mut waiting = Box::pin(batch.settled());
        assert_eq!((&mut waiting).now_or_never(), None);
        tickets.next().unwrap().settle(SEVEN);
        assert_eq!(waiting.now_or_never(), Some(()));
    }

    #[test]
    fn an_unreported_record_is_unknown_never_lost() {
        let (batch, mut tickets) = Batch::of(2);
        tickets.next().unwrap().settle(SEVEN);
        assert_eq!(batch.outcomes(), [SEVEN, Err(AppendError::Unknown)]);
        drop(tickets.next());
        assert_eq!(batch.settled().now_or_never(), Some(()));
        assert_eq!(batch.outcomes(), [SEVEN, Err(AppendError::Unknown)]);
    }

    #[test]
    fn a_batch_without_records_is_settled() {
        let (batch, tickets) = Batch::of(0);
        assert_eq!(tickets.count(), 0);
        assert_eq!(batch.settled().now_or_never(), Some(()));
    }
}
