//! Decodes each record into the current batch and sends batches on while there are permits. It bounds memory (I10): a batch
//! has a maximum size, a batch in flight holds one of a few permits, and without a permit the full batch stays and no record
//! must be added.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ::metrics::Counter;
use rdkafka::Message;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{Batch, Batcher, Due, Limits, column_pool::ColumnPool};
use crate::{
    commit::{BatchId, shared::SharedOffsets},
    decode::{Outcome, decode, position},
    metrics,
};

/// A batch that is being stored.
#[derive(Debug)]
pub(crate) struct InFlightBatch {
    pub(crate) id: BatchId,
    pub(crate) batch: Batch,
    pub(crate) permit: InFlightPermit,
}

/// One of the permits to have a batch in flight. Drop it once the offsets of the batch may be committed.
#[derive(Debug)]
pub(crate) struct InFlightPermit {
    _permit: OwnedSemaphorePermit,
    bytes: usize,
    sent_at: Instant,
    /// In µs.
    last_insert_latency: Arc<AtomicU64>,
}

impl Drop for InFlightPermit {
    fn drop(&mut self) {
        metrics::batch_finished(self.bytes);
        let latency = self.sent_at.elapsed().as_micros() as u64;
        self.last_insert_latency.store(latency, Ordering::Relaxed);
    }
}

/// Whether the record key of an event is not the key that ESS would have used, so that its playback may be spread over several
/// partitions (I6). The event is stored all the same: the fold needs no order (I3).
fn is_misplaced<M: Message>(record: &M, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Event(event) => record.key() != Some(event.key().as_bytes()),
        Outcome::DeadLetter(_) => false,
    }
}

/// Accumulates records into batches. Only the consumer's thread uses it; the lock is needed because librdkafka runs callbacks
/// in that thread.
pub(crate) struct RecordAccumulator {
    batcher: Mutex<Batcher>,
    permits: Arc<Semaphore>,
    batches: mpsc::Sender<InFlightBatch>,
    offsets: Arc<SharedOffsets>,
    columns: Arc<ColumnPool>,
    /// In µs.
    last_insert_latency: Arc<AtomicU64>,
    consumed: Counter,
}

impl RecordAccumulator {
    /// As many batches may be in flight as the channel `batches` has capacity for.
    pub(crate) fn new(
        limits: Limits,
        batches: mpsc::Sender<InFlightBatch>,
        offsets: Arc<SharedOffsets>,
        columns: Arc<ColumnPool>,
        consumed: Counter,
    ) -> Self {
        Self {
            batcher: Mutex::new(Batcher::new(limits, Instant::now())),
            permits: Arc::new(Semaphore::new(batches.max_capacity())),
            batches,
            offsets,
            columns,
            last_insert_latency: Arc::default(),
            consumed,
        }
    }

    /// Adds a record. Returns whether the batch is full.
    pub(crate) fn add<M: Message>(&self, record: &M, now: Instant) -> bool {
        let outcome = decode(record);
        self.consumed.increment(1);
        if is_misplaced(record, &outcome) {
            metrics::misplaced();
        }
        let mut batcher = self.batcher();
        batcher.push(position(record), outcome, now);
        batcher.is_full()
    }

    /// Whether the batch should be flushed. `caught_up`: the last poll returned no record.
    pub(crate) fn due(&self, caught_up: bool) -> Due {
        let latency = self.last_insert_latency.load(Ordering::Relaxed);
        let latency = Duration::from_micros(latency);
        self.batcher().due(Instant::now(), caught_up, latency)
    }

    /// Sends the batch if a permit is free; returns whether one was.
    pub(crate) fn try_flush(&self) -> bool {
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        permit.map(|permit| self.send(permit)).is_ok()
    }

    /// Sends the batch as soon as a permit is free; does nothing when the batch is empty.
    pub(crate) async fn flush(&self) {
        if self.due(true) == Due::Empty {
            return;
        }
        // The semaphore is never closed.
        if let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await {
            self.send(permit);
        }
    }

    /// Removes the span of a revoked partition from the batch.
    pub(crate) fn forget_partition(&self, partition: u16) {
        self.batcher().forget_partition(partition);
    }

    fn send(&self, permit: OwnedSemaphorePermit) {
        let now = Instant::now();
        let batch = self.batcher().finish_batch(now, self.columns.acquire());
        let id = self.offsets.register(&batch.spans);
        let permit = InFlightPermit {
            _permit: permit,
            bytes: batch.bytes(),
            sent_at: now,
            last_insert_latency: Arc::clone(&self.last_insert_latency),
        };
        metrics::batch_sent(permit.bytes);
        // The channel has a slot for each permit, so this fails only when the receiver is gone. Then the batch is never
        // marked as stored, and its offsets are never committed.
        let _ = self.batches.try_send(InFlightBatch { id, batch, permit });
    }

    fn batcher(&self) -> MutexGuard<'_, Batcher> {
        self.batcher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
