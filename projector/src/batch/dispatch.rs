//! From the consumer to the stages behind it: decodes each record into the batch being filled, and hands batches on while
//! there is room. Memory is bounded here (I10): a batch has a bound in bytes, a batch in flight holds one of few places,
//! and when none is free the full batch stays and nothing more is taken.

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

use crate::{
    batch::column_pool::Spares,
    batch::{Batch, Batcher, Due, Limits},
    commit::BatchId,
    commit::offsets::Offsets,
    decode::{Outcome, decode, position},
    metrics,
};

/// A batch on its way; dropped once its offsets may be committed, which frees its place.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) id: BatchId,
    pub(crate) batch: Batch,
    pub(crate) place: Place,
}

/// The room that a batch takes.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    bytes: usize,
    taken: Instant,
    flight: Arc<LastFlight>,
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::landed(self.bytes);
        self.flight.set(self.taken.elapsed());
    }
}

/// How long the last batch took to be stored, in µs.
#[derive(Debug, Default)]
struct LastFlight(AtomicU64);

impl LastFlight {
    fn set(&self, took: Duration) {
        self.0.store(took.as_micros() as u64, Ordering::Relaxed);
    }

    fn get(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// Whether an event came under another key than ESS would have given it, so that its playback may lie in several partitions
/// (I6). It is stored all the same: the fold needs no order (I3).
fn is_misplaced<M: Message>(record: &M, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Event(event) => record.key() != Some(event.key().as_bytes()),
        Outcome::DeadLetter(_) => false,
    }
}

/// Fills batches and hands them on. Used by the consumer's thread alone; the lock is there because librdkafka calls back
/// into that thread.
pub(crate) struct Intake {
    batcher: Mutex<Batcher>,
    places: Arc<Semaphore>,
    batches: mpsc::Sender<InFlight>,
    offsets: Arc<Offsets>,
    spares: Arc<Spares>,
    flight: Arc<LastFlight>,
    consumed: Counter,
}

impl Intake {
    /// `places`: most batches in flight; `batches` must hold as many.
    pub(crate) fn new(
        limits: Limits,
        places: usize,
        batches: mpsc::Sender<InFlight>,
        offsets: Arc<Offsets>,
        spares: Arc<Spares>,
        consumed: Counter,
    ) -> Self {
        Self {
            batcher: Mutex::new(Batcher::new(limits, Instant::now())),
            places: Arc::new(Semaphore::new(places)),
            batches,
            offsets,
            spares,
            flight: Arc::default(),
            consumed,
        }
    }

    /// Takes one record. True: the batch holds all it may.
    pub(crate) fn take<M: Message>(&self, record: &M, now: Instant) -> bool {
        let outcome = decode(record);
        self.consumed.increment(1);
        if is_misplaced(record, &outcome) {
            metrics::misplaced();
        }
        let mut batcher = self.batcher();
        batcher.push(position(record), outcome, now);
        batcher.is_full()
    }

    /// Whether the batch should go.
    pub(crate) fn due(&self, dry: bool) -> Due {
        self.batcher().due(Instant::now(), dry, self.flight.get())
    }

    /// Hands the batch on if there is room. False: there is none.
    pub(crate) fn try_hand_on(&self) -> bool {
        let permit = Arc::clone(&self.places).try_acquire_owned();
        permit.map(|permit| self.send(permit)).is_ok()
    }

    /// Hands the batch on as soon as there is room; nothing when it is empty.
    pub(crate) async fn hand_on(&self) {
        if self.due(true) == Due::Empty {
            return;
        }
        // The semaphore is never closed.
        if let Ok(permit) = Arc::clone(&self.places).acquire_owned().await {
            self.send(permit);
        }
    }

    /// Forgets how far the batch reaches in a partition that was taken away.
    pub(crate) fn forget(&self, partition: u16) {
        self.batcher().forget(partition);
    }

    fn send(&self, permit: OwnedSemaphorePermit) {
        let batch = self.batcher().cut(Instant::now(), self.spares.take());
        let id = self.offsets.take(&batch.spans);
        let place = Place {
            _permit: permit,
            bytes: batch.bytes(),
            taken: Instant::now(),
            flight: Arc::clone(&self.flight),
        };
        metrics::in_flight(place.bytes);
        // There are as many slots as places, so this fails only when the stages behind are gone: then nothing of the batch
        // is ever acknowledged, and so nothing of it committed.
        let _ = self.batches.try_send(InFlight { id, batch, place });
    }

    fn batcher(&self) -> MutexGuard<'_, Batcher> {
        self.batcher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
