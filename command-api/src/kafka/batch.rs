//! The outcomes of one request's records: one slot per record, and a countdown that wakes the request once, when the last outcome
//! is known. It takes no lock, and wakes nothing per record.

#[cfg(not(test))]
use std::sync::{Arc, atomic::AtomicUsize};
use std::sync::{OnceLock, atomic::Ordering};

#[cfg(test)]
use loom::sync::{Arc, atomic::AtomicUsize};
use tokio::sync::Notify;

use super::append::{AppendError, Outcome};

/// The records of one request, and their outcomes as far as they are known.
#[derive(Debug)]
pub(super) struct Batch {
    outcomes: Box<[OnceLock<Outcome>]>,
    pending: AtomicUsize,
    completed: Notify,
}

/// A record whose outcome is pending. Dropping it leaves the outcome unknown.
#[derive(Debug)]
pub(super) struct PendingRecord {
    batch: Arc<Batch>,
    index: usize,
}

impl Batch {
    /// A batch of `count` records, all of them pending.
    pub(super) fn new(count: usize) -> (Arc<Self>, impl Iterator<Item = Box<PendingRecord>>) {
        let batch = Arc::new(Self {
            outcomes: (0..count).map(|_| OnceLock::new()).collect(),
            pending: AtomicUsize::new(count),
            completed: Notify::new(),
        });
        let of = Arc::clone(&batch);
        let records = (0..count).map(move |index| {
            let batch = Arc::clone(&of);
            Box::new(PendingRecord { batch, index })
        });
        (batch, records)
    }

    /// Waits until no record is pending. One task may wait.
    pub(super) async fn completed(&self) {
        if self.pending.load(Ordering::Acquire) > 0 {
            self.completed.notified().await;
        }
    }

    /// The outcomes as of now, in the order of the records.
    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        let known = |slot: &OnceLock<Outcome>| slot.get().copied();
        self.outcomes
            .iter()
            .map(|slot| known(slot).unwrap_or(Err(AppendError::Unknown)))
            .collect()
    }
}

impl PendingRecord {
    /// Sets the outcome of the record.
    pub(super) fn complete(self, outcome: Outcome) {
        // The slot is still empty: this consumes its only `PendingRecord`.
        let _ = self.batch.outcomes[self.index].set(outcome);
    }
}

impl Drop for PendingRecord {
    fn drop(&mut self) {
        if self.batch.pending.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Without a waiter, `Notify` stores the permit for the next one.
            self.batch.completed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
