//! The offset tracker as the consumer's thread and the stages behind it share it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::Notify;

use crate::{
    batch::Spans,
    commit::{BatchId, OffsetTracker, Watermark},
};

/// Which offsets may be committed, shared.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    tracker: Mutex<OffsetTracker>,
    moved: Notify,
}

impl Offsets {
    /// The tracker; hold it for one step only.
    pub(crate) fn lock(&self) -> MutexGuard<'_, OffsetTracker> {
        self.tracker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(&self, spans: &Spans) -> BatchId {
        self.lock().take(spans, Instant::now())
    }

    pub(crate) fn acknowledge(&self, batches: &[BatchId]) -> Vec<Watermark> {
        let mut tracker = self.lock();
        let moved = batches.iter().map(|batch| tracker.acknowledge(*batch));
        moved.flatten().collect()
    }

    pub(crate) fn recorded(&self, watermarks: &[Watermark]) {
        self.lock().recorded(watermarks);
        self.moved.notify_waiters();
    }

    /// Waits until nothing of these partitions is on its way any more.
    pub(crate) async fn settled(&self, partitions: &[u16]) {
        loop {
            let moved = self.moved.notified();
            if !self.lock().outstanding(partitions) {
                return;
            }
            moved.await;
        }
    }

    /// How far each of our partitions is stored.
    pub(crate) fn stored(&self) -> BTreeMap<u16, Option<u64>> {
        self.lock().stored()
    }
}
