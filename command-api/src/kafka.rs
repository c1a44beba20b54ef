//! The log as this service sees it: a place to append to. Reading it is not offered, on purpose (invariant I7).

mod batch;
mod connection;
mod producer;

pub(crate) use self::{
    connection::{SILENT_FOR, keep},
    producer::KafkaProducer,
};
use ess_schema::{Event, Position};
use futures::future::BoxFuture;
use rdkafka::error::RDKafkaErrorCode;

/// Appends events.
pub(crate) trait Append: Send + Sync {
    /// Appends events in their order, and returns once the fate of each is known or the patience for it has ended: one
    /// outcome an event, in the same order. A position is returned only after the broker has acknowledged the record (I1).
    fn append<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Vec<Outcome>>;
}

/// Where an event lies in the log, or why it is not (known to be) there.
pub(crate) type Outcome = Result<Position, AppendError>;

/// Why an event has no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AppendError {
    /// The producer's queue is full. The event is not in the log.
    #[error("the queue to the log is full")]
    QueueFull,
    /// The record is larger than the log takes. The event is not in the log.
    #[error("its record is larger than the log takes")]
    TooLarge,
    /// The log did not take the event, for certain.
    #[error("the log did not take it: {0}")]
    Undelivered(RDKafkaErrorCode),
    /// The event may or may not be in the log.
    #[error("the log did not say in time whether it took it; repeat it with the same id")]
    Unknown,
}
