//! Appends facts to Kafka directly, as a producer that is not ESS does: CloudEvents under the key of their playback. An
//! acknowledgement means the same as that of the command-api: every in-sync replica has the record, once.

use std::time::Duration;

use ess_schema::record::CONTENT_TYPE;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::future_producer::OwnedDeliveryResult;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use tokio::task::spawn_blocking;

use crate::facts::feed::Item;
use crate::record::outcome::{Outcome, Reason};

/// No more facts may be in flight at once: it bounds their memory to some 150 MB.
pub(crate) const MAX_IN_FLIGHT: usize = 100_000;
const METADATA_TIMEOUT: Duration = Duration::from_secs(10);

/// A topic.
pub(crate) struct KafkaTopic {
    producer: FutureProducer,
    topic: String,
}

/// Kafka cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("cannot create a Kafka producer: {0}")]
    Producer(#[from] KafkaError),
    #[error("cannot reach topic {topic} at {brokers}: {reason}")]
    Topic {
        brokers: String,
        topic: String,
        reason: String,
    },
}

impl KafkaTopic {
    /// The topic at `brokers`.
    ///
    /// # Errors
    /// When the topic does not exist or no broker responds.
    pub(crate) async fn connect(brokers: &str, topic: &str) -> Result<Self, ConnectError> {
        let producer: FutureProducer = config(brokers).create()?;
        let (client, name) = (producer.clone(), topic.to_owned());
        let lookup = spawn_blocking(move || find(&client, &name)).await;
        let found = lookup.unwrap_or_else(|error| Err(error.to_string()));
        found.map_err(|reason| ConnectError::Topic {
            brokers: brokers.to_owned(),
            topic: topic.to_owned(),
            reason,
        })?;
        let topic = topic.to_owned();
        Ok(Self { producer, topic })
    }

    /// Appends facts, whose bodies are CloudEvents.
    pub(super) async fn append(&self, items: &[&Item]) -> Vec<Outcome> {
        // All are enqueued, in their order, before the first delivery report is awaited.
        let enqueued: Vec<_> = items.iter().map(|item| self.enqueue(item)).collect();
        let mut outcomes = Vec::with_capacity(items.len());
        for report in enqueued {
            outcomes.push(match report {
                Ok(report) => outcome(report.await.ok()),
                Err(error) => unknown(&error),
            });
        }
        outcomes
    }

    fn enqueue(
        &self,
        item: &Item,
    ) -> Result<impl Future<Output = Result<OwnedDeliveryResult, impl Sized>>, KafkaError> {
        let headers = OwnedHeaders::new().insert(Header {
            key: "content-type",
            value: Some(CONTENT_TYPE),
        });
        let record = FutureRecord::to(&self.topic)
            .key(&item.key)
            .payload(&item.body)
            .headers(headers);
        self.producer
            .send_result(record)
            .map_err(|(error, _)| error)
    }
}

fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", "ess-load")
        .set("acks", "all")
        .set("enable.idempotence", "true")
        // The partitioner of the command-api: a playback stays in one partition, with every producer.
        .set("partitioner", "murmur2_random")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .set("message.timeout.ms", "60000")
        .set("queue.buffering.max.messages", MAX_IN_FLIGHT.to_string());
    config
}

fn find(producer: &FutureProducer, topic: &str) -> Result<(), String> {
    let metadata = producer
        .client()
        .fetch_metadata(Some(topic), METADATA_TIMEOUT);
    let metadata = metadata.map_err(|error| error.to_string())?;
    match metadata.topics() {
        [found] if !found.partitions().is_empty() => Ok(()),
        _ => Err("there is no such topic".to_owned()),
    }
}

fn outcome(report: Option<OwnedDeliveryResult>) -> Outcome {
    match report {
        Some(Ok(_)) => Outcome::Acknowledged,
        Some(Err((error, _))) => unknown(&error),
        None => unknown(&KafkaError::Canceled),
    }
}

fn unknown(error: &KafkaError) -> Outcome {
    Outcome::Unknown(Reason {
        kind: "not delivered".to_owned(),
        detail: error.to_string(),
    })
}
