//! The only producer of this process. Sends all records of a request to librdkafka at once, which batches them with those of other
//! requests, and waits for their delivery reports. It must never change an event.

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
    append::{Append, AppendError, Outcome},
    batch::{Batch, PendingRecord},
};
use crate::config::Config;

/// Appends events to the topic of the log.
pub(crate) struct KafkaProducer {
    pub(super) client: ThreadedProducer<DeliveryReports>,
    pub(super) topic: String,
    delivery_timeout: Duration,
}

impl KafkaProducer {
    /// Creates the producer, which connects, and reconnects, in the background.
    ///
    /// # Errors
    /// A setting that librdkafka rejects.
    pub(crate) fn new(config: &Config) -> Result<Self, KafkaError> {
        let client = producer_config(&config.kafka, &config.producer, "ess-command-api");
        Ok(Self {
            client: client.create_with_context(DeliveryReports::default())?,
            topic: config.kafka.topic.clone(),
            delivery_timeout: config.append.timeout,
        })
    }

    fn send(&self, event: &Event, headers: OwnedHeaders, pending: Box<PendingRecord>) {
        let value = event.to_cloudevent();
        let record = BaseRecord::with_opaque_to(&self.topic, pending)
            .key(event.key())
            .payload(&value)
            .headers(headers);
        if let Err((error, record)) = self.client.send(record) {
            record.delivery_opaque.complete(Err(not_queued(&error)));
        }
    }
}

impl Append for KafkaProducer {
    fn append<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            let start = Instant::now();
            let (batch, records) = Batch::new(events.len());
            for (event, pending) in events.iter().zip(records) {
                self.send(event, content_type(), pending);
            }
            // After a timeout, the pending outcomes are unknown.
            let _ = timeout(self.delivery_timeout, batch.completed()).await;
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

/// Why a record did not enter the producer's queue.
fn not_queued(error: &KafkaError) -> AppendError {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::QueueFull) => AppendError::QueueFull,
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => AppendError::TooLarge,
        code => AppendError::Undelivered(code.unwrap_or(RDKafkaErrorCode::Unknown)),
    }
}

/// Receives the delivery reports, on the producer's own thread.
#[derive(Debug, Default)]
pub(super) struct DeliveryReports {
    last_failed: AtomicBool,
    /// Locked by failures only.
    reason: Mutex<Option<RDKafkaErrorCode>>,
}

impl DeliveryReports {
    /// Takes the error of the last delivery report, if it was a failure.
    pub(super) fn take_last_failure(&self) -> Option<RDKafkaErrorCode> {
        let failed = self.last_failed.swap(false, Ordering::Relaxed);
        let mut reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        reason.take().filter(|_| failed)
    }

    fn record_failure(&self, error: &KafkaError) -> RDKafkaErrorCode {
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

    fn delivery(&self, report: &DeliveryResult<'_>, pending: Box<PendingRecord>) {
        pending.complete(match report {
            Ok(message) => {
                self.last_failed.store(false, Ordering::Relaxed);
                position(message)
            }
            Err((error, message)) => undelivered(self.record_failure(error), message),
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

/// The position of a delivered record. librdkafka reports success without an offset when the broker recognized a retry as a
/// duplicate: the record is in the log, but its position is unknown.
fn position(message: &BorrowedMessage<'_>) -> Outcome {
    let partition = u16::try_from(message.partition());
    let offset = u64::try_from(message.offset());
    match (partition, offset) {
        (Ok(partition), Ok(offset)) => Ok(Position { partition, offset }),
        _ => Err(AppendError::Unknown),
    }
}

/// Whether a failed record is certainly not in the log: it was never sent, or the broker rejected it. A record that was sent but
/// not acknowledged may be in the log.
fn is_certainly_not_in_the_log(message: &BorrowedMessage<'_>) -> bool {
    // SAFETY: the pointer belongs to `message`, which is borrowed during the call; the function only reads it.
    let status = unsafe { rd_kafka_message_status(message.ptr()) };
    status == rd_kafka_msg_status_t::RD_KAFKA_MSG_STATUS_NOT_PERSISTED
}
