//! The topic of a benchmark: created like `projector init` and filled like the command-api. A topic that does not contain exactly the
//! sent events is an error.

use std::collections::BTreeMap;
use std::time::Duration;

use ess_projector::config::Settings;
use ess_schema::{Event, record};
use ess_service::kafka::{client_config, ensure_topics, producer_config};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use tokio::task::spawn_blocking;

use crate::error::{Error, Result};

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);
const FLUSH_TIMEOUT: Duration = Duration::from_mins(5);
/// Wait time when the queue of the producer is full.
const QUEUE_FULL_WAIT: Duration = Duration::from_millis(20);

/// The next offset of each partition.
pub(crate) type Ends = BTreeMap<u16, u64>;

/// Creates the topic.
///
/// # Errors
/// An error of the broker, or a topic that is not empty.
pub(crate) async fn create(settings: &Settings) -> Result<()> {
    ensure_topics(&settings.kafka).await?;
    let for_ends = settings.clone();
    let ends = spawn_blocking(move || ends(&for_ends)).await??;
    match ends.values().sum::<u64>() {
        0 => Ok(()),
        held => Err(Error::message(format!(
            "topic {} already has {held} records; a benchmark needs a new broker: run `cargo xtask bench`",
            settings.kafka.topic
        ))),
    }
}

/// Appends events and waits until all are in Kafka. Returns the end offsets.
///
/// # Errors
/// A broker that does not accept all of them.
pub(crate) async fn fill(
    settings: &Settings,
    facts: impl Iterator<Item = Event> + Send + 'static,
) -> Result<Ends> {
    let settings = settings.clone();
    spawn_blocking(move || {
        let writer = Writer::new(&settings)?;
        let mut sent = 0;
        for fact in facts {
            writer.append(&fact)?;
            sent += 1;
        }
        writer.flush()?;
        let ends = ends(&settings)?;
        let appended: u64 = ends.values().sum();
        if appended == sent {
            return Ok(ends);
        }
        Err(Error::message(format!(
            "topic {} has {appended} of {sent} events; see the log of the broker",
            settings.kafka.topic
        )))
    })
    .await?
}

/// The end offset of every partition. Blocks.
///
/// # Errors
/// The broker does not answer.
pub(crate) fn ends(settings: &Settings) -> Result<Ends> {
    let topic = settings.kafka.topic.as_str();
    let client: BaseConsumer = client_config(&settings.kafka, "ess-bench").create()?;
    (0..settings.kafka.partitions)
        .map(|partition| {
            let (_, end) = client.fetch_watermarks(topic, partition as i32, RESPONSE_TIMEOUT)?;
            Ok((partition as u16, end as u64))
        })
        .collect()
}

/// Appends events like the command-api.
pub(crate) struct Writer {
    producer: ThreadedProducer<DefaultProducerContext>,
    topic: String,
}

impl Writer {
    /// # Errors
    /// A setting that librdkafka rejects.
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let mut config = producer_config(&settings.kafka, &settings.producer, "ess-bench");
        // No client waits, so that a record may wait in the queue for long.
        config.set("message.timeout.ms", "300000");
        Ok(Self {
            producer: config.create()?,
            topic: settings.kafka.topic.clone(),
        })
    }

    /// Appends one event. Waits while the queue of the producer is full.
    ///
    /// # Errors
    /// An error of the producer.
    pub(crate) fn append(&self, fact: &Event) -> Result<()> {
        let value = fact.to_cloudevent();
        let mut record = BaseRecord::to(&self.topic)
            .key(fact.key())
            .payload(&value)
            .headers(OwnedHeaders::new().insert(Header {
                key: "content-type",
                value: Some(record::CONTENT_TYPE),
            }));
        while let Err((error, unsent)) = self.producer.send(record) {
            if error != KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) {
                return Err(error.into());
            }
            // The producer's thread handles delivery reports; a flush that times out is not an error.
            let _ = self.producer.flush(QUEUE_FULL_WAIT);
            record = unsent;
        }
        Ok(())
    }

    /// Waits until all events are in Kafka.
    ///
    /// # Errors
    /// A timeout.
    pub(crate) fn flush(&self) -> Result<()> {
        Ok(self.producer.flush(FLUSH_TIMEOUT)?)
    }
}
