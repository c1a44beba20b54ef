//! What appending means to the rest of the service: events in, one outcome per event out.

use ess_schema::{Event, Position};
use futures::future::BoxFuture;
use rdkafka::error::RDKafkaErrorCode;

/// Appends events to the log.
pub(crate) trait Append: Send + Sync {
    /// Appends events in their order. Returns one outcome per event, in the same order, once all are known or the delivery timeout
    /// has passed. An outcome has a position only after the broker has acknowledged the record (I1).
    fn append<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Vec<Outcome>>;
}

/// The position of an event in the log, or why it has none.
pub(crate) type Outcome = Result<Position, AppendError>;

/// Why an event has no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AppendError {
    /// The producer's queue is full. The event is not in the log.
    #[error("the producer queue is full")]
    QueueFull,
    /// The record is larger than `message.max.bytes`. The event is not in the log.
    #[error("the record is larger than Kafka accepts")]
    TooLarge,
    /// Kafka certainly did not append the event.
    #[error("Kafka did not append the event: {0}")]
    Undelivered(RDKafkaErrorCode),
    /// The event may or may not be in the log.
    #[error("Kafka did not confirm the event in time; repeat it with the same id")]
    Unknown,
}
