//! The one producer of this process. All records of a request are handed to librdkafka at once, which batches them with
//! those of other requests; then all delivery reports are awaited. Nothing here decides what an event is.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ess_schema::{Event, Position, record};
use ess_service::kafka::producer_config;
use futures::future::BoxFuture;
use rdkafka::{
    ClientContext, Message,
    bindings::{rd_kafka_message_status, rd_kafka_msg_status_t},
    error::{KafkaError, RDKafkaErrorCode},
    message::{BorrowedMessage, DeliveryResult, Header, OwnedHeaders},
    producer::{BaseRecord, ProducerContext, ThreadedProducer},
};
use tokio::time::timeout;

use super::{
    Append, AppendError, Outcome,
    batch::{Batch, PendingRecord},
};
use crate::config::Config;

/// The log behind a Kafka producer.
pub(crate) struct KafkaProducer {
    pub(super) producer: ThreadedProducer<DeliveryReports>,
    pub(super) topic: String,
    patience: Duration,
}

impl KafkaProducer {
    /// Makes the producer. It connects by itself, now and whenever it has to.
    ///
    /// # Errors
    /// A setting that librdkafka does not take.
    pub(crate) fn new(config: &Config) -> Result<Self, KafkaError> {
        let client = producer_config(&config.kafka, &config.producer, "ess-command-api");
        Ok(Self {
            producer: client.create_with_context(DeliveryReports::default())?,
            topic: config.kafka.topic.clone(),
            patience: config.append.timeout,
        })
    }

    fn send(&self, event: &Event, headers: OwnedHeaders, ticket: Box<PendingRecord>) {
        let value = event.to_cloudevent();
        let record = BaseRecord::with_opaque_to(&self.topic, ticket)
            .key(event.key())
            .payload(&value)
            .headers(headers);
        if let Err((error, record)) = self.producer.send(record) {
            record.delivery_opaque.settle(Err(refused(&error)));
        }
    }
}

impl Append for KafkaProducer {
    fn append<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            let start = Instant::now();
            let (batch, tickets) = Batch::of(events.len());
            for (event, ticket) in events.iter().zip(tickets) {
                self.send(event, content_type(), ticket);
            }
            // Whether it was in time or not: what is known is told, and the rest is told to be unknown.
            let _ = timeout(self.patience, batch.settled()).await;
            metrics::histogram!("messaging_client_operation_duration_seconds", "messaging_operation_name" => "send")
                .record(start.elapsed());
            batch.outcomes()
        })
    }
}

fn content_type() -> OwnedHeaders {
    OwnedHeaders::new_with_capacity(1).insert(Header {
        key: "content-type",
        value: Some(record::CONTENT_TYPE),
    })
}

/// A record that did not even enter the producer's queue.
fn refused(error: &KafkaError) -> AppendError {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::QueueFull) => AppendError::QueueFull,
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => AppendError::TooLarge,
        code => AppendError::Undelivered(code.unwrap_or(RDKafkaErrorCode::Unknown)),
    }
}

/// Takes the delivery reports, on the producer's own thread.
#[derive(Debug, Default)]
pub(super) struct DeliveryReports {
    last_failed: AtomicBool,
    /// Touched by failures only.
    reason: Mutex<Option<RDKafkaErrorCode>>,
}

impl DeliveryReports {
    /// Why the last record reported on failed, if it did; forgets it.
    pub(super) fn last_failure(&self) -> Option<RDKafkaErrorCode> {
        let failed = self.last_failed.swap(false, Ordering::Relaxed);
        let mut reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        reason.take().filter(|_| failed)
    }

    fn failed(&self, error: &KafkaError) -> RDKafkaErrorCode {
        let code = error
            .rdkafka_error_code()
            .unwrap_or(RDKafkaErrorCode::Unknown);
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(code);
        self.last_failed.store(true, Ordering::Relaxed);
        code
    }
}

impl ClientContext for DeliveryReports {}

impl ProducerContext for DeliveryReports {
    type DeliveryOpaque = Box<PendingRecord>;

    fn delivery(&self, report: &DeliveryResult<'_>, ticket: Box<PendingRecord>) {
        ticket.settle(match report {
            Ok(message) => {
                self.last_failed.store(false, Ordering::Relaxed);
                position(message)
            }
            Err((error, message)) => undelivered(self.failed(error), message),
        });
    }
}

fn undelivered(code: RDKafkaErrorCode, message: &BorrowedMessage<'_>) -> Outcome {
    Err(match code {
        _ if !is_certainly_not_in_the_log(message) => AppendError::Unknown,
        RDKafkaErrorCode::MessageSizeTooLarge => AppendError::TooLarge,
        code => AppendError::Undelivered(code),
    })
}

/// librdkafka reports success without an offset when the broker recognised its own repetition: the record is in the log,
/// but nobody says where.
fn position(message: &BorrowedMessage<'_>) -> Outcome {
    let partition = u16::try_from(message.partition());
    let offset = u64::try_from(message.offset());
    match (partition, offset) {
        (Ok(partition), Ok(offset)) => Ok(Position { partition, offset }),
        _ => Err(AppendError::Unknown),
    }
}

/// What librdkafka knows of a failed record: one that never left, or was refused, is not in the log; one that was sent
/// and not answered may be.
fn is_certainly_not_in_the_log(message: &BorrowedMessage<'_>) -> bool {
    // SAFETY: the pointer belongs to `message`, which is borrowed for the whole call; the function only reads it.
    let status = unsafe { rd_kafka_message_status(message.ptr()) };
    status == rd_kafka_msg_status_t::RD_KAFKA_MSG_STATUS_NOT_PERSISTED
}
