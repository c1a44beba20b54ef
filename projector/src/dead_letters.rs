//! The topic of records that cannot become rows: each as it was, with why and where from in headers of its own. A dead
//! letter counts only when the broker has acknowledged it; it may appear twice, never not at all (I5).

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
    memory::Memory,
    metrics,
    retry::until_decided,
    status::{Stage, Vitals},
};

/// Appends on their way at a time.
const CONCURRENT: usize = 1_000;
/// Longer values than the log's default limit of 1 MiB must fit, with our headers.
const MAX_BYTES: &str = "16777216";

/// The dead-letter topic.
pub(crate) struct DeadLetters {
    producer: FutureProducer,
    topic: String,
    vitals: Arc<Vitals>,
}

impl DeadLetters {
    /// # Errors
    /// A configuration that librdkafka refuses.
    pub(crate) fn new(
        kafka: &KafkaConfig,
        producer: &ProducerConfig,
        memory: Memory,
        vitals: Arc<Vitals>,
    ) -> Result<Self, KafkaError> {
        let mut config = producer_config(kafka, producer, "ess-projector");
        config.set("message.max.bytes", MAX_BYTES);
        memory.bound_producing(&mut config);
        Ok(Self {
            producer: config.create()?,
            topic: kafka.dead_letter_topic.clone(),
            vitals,
        })
    }

    /// Appends all of them, however long it takes.
    ///
    /// # Errors
    /// When the producer is broken for good, which only a restart mends.
    pub(crate) async fn append(&self, letters: &[DeadLetter]) -> Result<(), AppendError> {
        let Some(first) = letters.first() else {
            return Ok(());
        };
        for some in letters.chunks(CONCURRENT) {
            try_join_all(some.iter().map(|letter| self.append_one(letter))).await?;
        }
        // One line for many: whoever writes nonsense into the log must not fill ours.
        let (partition, offset) = (first.record.partition(), first.record.offset());
        let count = letters.len();
        tracing::warn!(
            count,
            partition,
            offset,
            code = first.code,
            "{count} record(s) became dead letters, the first is {partition}:{offset}: {}",
            first.reason
        );
        Ok(())
    }

    async fn append_one(&self, letter: &DeadLetter) -> Result<(), AppendError> {
        let whole = letter.record.payload();
        match self.deliver(letter, whole, headers(letter)).await {
            // Nothing may block the partition: without its value it still says where the original lies.
            Err(AppendError::TooLarge(_)) => {
                let bytes = whole.map_or(0, <[u8]>::len).to_string();
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
            // No time-out of its own: the producer's message time-out ends the attempt.
            let sent = self.producer.send(record, Timeout::Never).await;
            sent.map(|_| ()).map_err(|(error, _)| error.into())
        };
        until_decided(&self.vitals, Stage::DeadLetters, attempt).await
    }
}

/// The record's own headers, then ours: a dead letter that was sent again keeps the story of its first death, too.
fn headers(letter: &DeadLetter) -> OwnedHeaders {
    let record = &letter.record;
    let own = record.headers().cloned().unwrap_or_default();
    let placed = [
        ("ess-reason-code", letter.code),
        ("ess-reason", &letter.reason),
        ("ess-origin-topic", record.topic()),
        ("ess-origin-partition", &record.partition().to_string()),
        ("ess-origin-offset", &record.offset().to_string()),
    ]
    .into_iter()
    .fold(own, |all, (key, value)| with(all, key, value));
    match record.timestamp().to_millis() {
        Some(millis) => with(placed, "ess-origin-timestamp", &millis.to_string()),
        None => placed,
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
    /// For a reason that may pass; all are taken to, except the two below.
    #[error("{0}")]
    Passing(KafkaError),
    /// It is longer than the topic takes.
    #[error("{0}")]
    TooLarge(KafkaError),
    /// The producer is broken.
    #[error("{0}")]
    Broken(KafkaError),
}

impl From<KafkaError> for AppendError {
    fn from(error: KafkaError) -> Self {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize) => {
                Self::TooLarge(error)
            }
            Some(RDKafkaErrorCode::Fatal) => Self::Broken(error),
            _ => Self::Passing(error),
        }
    }
}

impl Classify for AppendError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Passing(_) => ErrorClass::Transient,
            Self::TooLarge(_) | Self::Broken(_) => ErrorClass::Permanent,
        }
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::message::Headers as _;

    use super::*;
    use crate::decode::tests::record;

    #[test]
    fn a_dead_letter_keeps_its_headers_and_says_why_and_where_from() {
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
    fn only_a_broken_producer_and_a_too_large_letter_are_not_tried_again() {
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
