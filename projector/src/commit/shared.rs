//! The offset tracker, shared by the consumer's thread and the stages that store batches. It must never hold its lock across
//! an `await`.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::Notify;

use super::{BatchId, OffsetTracker, Spans, Watermark};

/// An [`OffsetTracker`] behind a lock.
#[derive(Debug, Default)]
pub(crate) struct SharedOffsets {
    tracker: Mutex<OffsetTracker>,
    recorded: Notify,
}

impl SharedOffsets {
    /// Locks the tracker; hold the lock for one step only.
    pub(crate) fn lock(&self) -> MutexGuard<'_, OffsetTracker> {
        self.tracker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn register(&self, spans: &Spans) -> BatchId {
        self.lock().register(spans, Instant::now())
    }

    pub(crate) fn mark_stored(&self, batches: &[BatchId]) -> Vec<Watermark> {
        let mut tracker = self.lock();
        let advanced = batches.iter().map(|batch| tracker.mark_stored(*batch));
        advanced.flatten().collect()
    }

    pub(crate) fn mark_recorded(&self, watermarks: &[Watermark]) {
        self.lock().mark_recorded(watermarks);
        self.recorded.notify_waiters();
    }

    /// Waits until every record of these partitions that was sent to be stored is recorded.
    pub(crate) async fn wait_until_recorded(&self, partitions: &[u16]) {
        loop {
            let recorded = self.recorded.notified();
            if !self.lock().has_unrecorded(partitions) {
                return;
            }
            recorded.await;
        }
    }

    /// The stored watermark of each assigned partition.
    pub(crate) fn stored(&self) -> BTreeMap<u16, Option<u64>> {
        self.lock().stored()
    }
}
