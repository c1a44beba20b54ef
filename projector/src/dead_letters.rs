//! Appends records that cannot become rows to the dead-letter topic, unchanged, with the reason and the original position in
//! headers. A dead letter counts only when Kafka has acknowledged it; it may appear twice and must never be missing (I5).

pub(crate) mod refetch;

use std::sync::Arc;

use ess_service::{
    config::{KafkaConfig, ProducerConfig},
    kafka::producer_config,
    retry::{Classify, ErrorClass},
};
use futures::future::try_join_all;
use rdkafka::{
    Message as _,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders, ToBytes},
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};

use crate::{
    decode::DeadLetter,
    memory::MemoryBudget,
    metrics,
    retry::retry_transient,
    status::{PipelineStatus, Stage},
};

/// Maximum appends in flight.
const MAX_IN_FLIGHT: usize = 1_000;
/// Values above Kafka's default limit of 1 MiB must fit, with the added headers.
const MAX_MESSAGE_BYTES: &str = "16777216";

/// The dead-letter topic.
pub(crate) struct DeadLetters {
    producer: FutureProducer,
    topic: String,
    status: Arc<PipelineStatus>,
}

impl DeadLetters {
    /// # Errors
    /// A configuration that librdkafka refuses.
    pub(crate) fn new(
        kafka: &KafkaConfig,
        producer: &ProducerConfig,
        memory: MemoryBudget,
        status: Arc<PipelineStatus>,
    ) -> Result<Self, KafkaError> {
        let mut config = producer_config(kafka, producer, "ess-projector");
        config.set("message.max.bytes", MAX_MESSAGE_BYTES);
        memory.limit_producing(&mut config);
        Ok(Self {
            producer: config.create()?,
            topic: kafka.dead_letter_topic.clone(),
            status,
        })
    }

    /// Appends all dead letters; retries until Kafka acknowledges them.
    ///
    /// # Errors
    /// A fatal error of the producer; only a restart helps.
    pub(crate) async fn append(&self, letters: &[DeadLetter]) -> Result<(), AppendError> {
        let Some(first) = letters.first() else {
            return Ok(());
        };
        for chunk in letters.chunks(MAX_IN_FLIGHT) {
            try_join_all(chunk.iter().map(|letter| self.append_one(letter))).await?;
        }
        // One line for all: bad records in Kafka must not flood the log output.
        let (partition, offset) = (first.record.partition(), first.record.offset());
        let count = letters.len();
        tracing::warn!(
            count,
            partition,
            offset,
            code = first.code,
            "{count} record(s) became dead letters, the first at {partition}:{offset}: {}",
            first.reason
        );
        Ok(())
    }

    async fn append_one(&self, letter: &DeadLetter) -> Result<(), AppendError> {
        let value = letter.record.payload();
        match self.deliver(letter, value, headers(letter)).await {
            // A record must never block its partition. Without the value, the headers still have the original's position.
            Err(AppendError::TooLarge(_)) => {
                let bytes = value.map_or(0, <[u8]>::len).to_string();
                let headers = with(headers(letter), "ess-value-omitted", &bytes);
                self.deliver(letter, None, headers).await?;
            }
            delivered => delivered?,
        }
        metrics::dead_letter(letter.code);
        Ok(())
    }

    async fn deliver(
        &self,
        letter: &DeadLetter,
        value: Option<&[u8]>,
        headers: OwnedHeaders,
    ) -> Result<(), AppendError> {
        let attempt = || async {
            let mut record = FutureRecord::<[u8], [u8]>::to(&self.topic).headers(headers.clone());
            (record.key, record.payload) = (letter.record.key(), value);
            // The producer's `message.timeout.ms` ends the attempt.
            let sent = self.producer.send(record, Timeout::Never).await;
            sent.map(|_| ()).map_err(|(error, _)| error.into())
        };
        retry_transient(&self.status, Stage::DeadLetters, attempt).await
    }
}

/// The record's own headers, then those of this dead letter: a record that becomes a dead letter twice has both reasons.
fn headers(letter: &DeadLetter) -> OwnedHeaders {
    let record = &letter.record;
    let own = record.headers().cloned().unwrap_or_default();
    let added = [
        ("ess-reason-code", letter.code),
        ("ess-reason", &letter.reason),
        ("ess-origin-topic", record.topic()),
        ("ess-origin-partition", &record.partition().to_string()),
        ("ess-origin-offset", &record.offset().to_string()),
    ]
    .into_iter()
    .fold(own, |all, (key, value)| with(all, key, value));
    match record.timestamp().to_millis() {
        Some(millis) => with(added, "ess-origin-timestamp", &millis.to_string()),
        None => added,
    }
}

fn with<V: ToBytes + ?Sized>(headers: OwnedHeaders, key: &str, value: &V) -> OwnedHeaders {
    headers.insert(Header {
        key,
        value: Some(value),
    })
}

/// Why a dead letter was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// Any error but the two below.
    #[error("{0}")]
    Transient(KafkaError),
    /// The record is larger than the topic's limit.
    #[error("{0}")]
    TooLarge(KafkaError),
    /// The producer cannot be used any more.
    #[error("{0}")]
    Fatal(KafkaError),
}

impl From<KafkaError> for AppendError {
    fn from(error: KafkaError) -> Self {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize) => {
                Self::TooLarge(error)
            }
            Some(RDKafkaErrorCode::Fatal) => Self::Fatal(error),
            _ => Self::Transient(error),
        }
    }
}

impl Classify for AppendError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Transient(_) => ErrorClass::Transient,
            Self::TooLarge(_) | Self::Fatal(_) => ErrorClass::Permanent,
        }
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::message::Headers as _;

    use super::*;
    use crate::decode::tests::record;

    #[test]
    fn a_dead_letter_has_its_own_headers_the_reason_and_the_original_position() {
        let letter = DeadLetter {
            record: record(Some("nonsense"), &[("trace", "abc")]),
            code: "not-json",
            reason: "the value is not a JSON object".to_owned(),
        };
        let headers = headers(&letter);
        let texts: Vec<(&str, &str)> = headers
            .iter()
            .map(|h| (h.key, std::str::from_utf8(h.value.unwrap()).unwrap()))
            .collect();
        assert_eq!(
            texts,
            [
                ("trace", "abc"),
                ("ess-reason-code", "not-json"),
                ("ess-reason", "the value is not a JSON object"),
                ("ess-origin-topic", "log"),
                ("ess-origin-partition", "7"),
                ("ess-origin-offset", "1234"),
                ("ess-origin-timestamp", "1795000000000"),
            ]
        );
    }

    #[test]
    fn only_a_fatal_error_and_a_too_large_letter_are_not_retried() {
        let class = |code| AppendError::from(KafkaError::MessageProduction(code)).class();
        assert_eq!(
            class(RDKafkaErrorCode::MessageTimedOut),
            ErrorClass::Transient
        );
        assert_eq!(
            class(RDKafkaErrorCode::TopicAuthorizationFailed),
            ErrorClass::Transient
        );
        assert_eq!(
            class(RDKafkaErrorCode::MessageSizeTooLarge),
            ErrorClass::Permanent
        );
        assert_eq!(class(RDKafkaErrorCode::Fatal), ErrorClass::Permanent);
    }
}
