//! Straight into the log, as a producer that is not ESS: CloudEvents under the event's key. An acknowledgement means what
//! it means to the command-api: every in-sync replica has the record, once.

use std::time::Duration;

use ess_schema::record::CONTENT_TYPE;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::future_producer::OwnedDeliveryResult;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use tokio::task::spawn_blocking;

use crate::error::Error;
use crate::facts::to_cloudevent;
use crate::lane::Due;
use crate::target::{Delivery, MOST_UNDER_WAY, Outcome, Reason};

const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// The log.
pub(crate) struct Kafka {
    producer: FutureProducer,
    topic: String,
}

impl Kafka {
    /// The topic at `brokers`.
    ///
    /// # Errors
    /// When there is no such topic or no broker answers.
    pub(crate) async fn connect(brokers: &str, topic: &str) -> Result<Self, Error> {
        let producer: FutureProducer = config(brokers).create().map_err(Error::Producer)?;
        let (asking, asked) = (producer.clone(), topic.to_owned());
        let lookup = spawn_blocking(move || find(&asking, &asked)).await;
        let found = lookup.unwrap_or_else(|error| Err(error.to_string()));
        found.map_err(|reason| Error::Topic {
            brokers: brokers.to_owned(),
            topic: topic.to_owned(),
            reason,
        })?;
        let topic = topic.to_owned();
        Ok(Self { producer, topic })
    }

    pub(crate) async fn deliver(&self, batch: &[Due]) -> Delivery {
        // All are enqueued, in their order, before the first is waited for.
        let enqueued: Vec<_> = batch.iter().map(|due| self.enqueue(due)).collect();
        let mut outcomes = Vec::with_capacity(batch.len());
        for delivery in enqueued {
            outcomes.push(match delivery {
                Ok(delivery) => outcome(delivery.await.ok()),
                Err(error) => unknown(&error),
            });
        }
        let repeats = 0;
        Delivery { outcomes, repeats }
    }

    fn enqueue(
        &self,
        due: &Due,
    ) -> Result<impl Future<Output = Result<OwnedDeliveryResult, impl Sized>>, KafkaError> {
        let (event, value) = (&due.fact.event, to_cloudevent(&due.fact.event));
        let headers = OwnedHeaders::new().insert(Header {
            key: "content-type",
            value: Some(CONTENT_TYPE),
        });
        let record = FutureRecord::to(&self.topic)
            .key(event.key())
            .payload(&value)
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
        // As the command-api places keys, so that a playback stays in one partition whoever writes.
        .set("partitioner", "murmur2_random")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .set("message.timeout.ms", "60000")
        .set("queue.buffering.max.messages", MOST_UNDER_WAY.to_string());
    config
}

fn find(producer: &FutureProducer, topic: &str) -> Result<(), String> {
    let metadata = producer
        .client()
        .fetch_metadata(Some(topic), ANSWERS_WITHIN);
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
