//! The log that a benchmark reads: created as `projector init` does, filled as the command-api writes. A log that does not
//! hold exactly what was sent is an error, not a figure.

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

const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
const FLUSHED_WITHIN: Duration = Duration::from_mins(5);
/// Longest wait for room when the producer is full.
const FULL: Duration = Duration::from_millis(20);

/// The next offset of each partition.
pub(crate) type Ends = BTreeMap<u16, u64>;

/// Creates the log.
///
/// # Errors
/// A broker that refuses, or a log that holds something already.
pub(crate) async fn create(settings: &Settings) -> Result<()> {
    ensure_topics(&settings.kafka).await?;
    let asking = settings.clone();
    let ends = spawn_blocking(move || ends(&asking)).await??;
    match ends.values().sum::<u64>() {
        0 => Ok(()),
        held => Err(Error::message(format!(
            "topic {} holds {held} records already: a benchmark needs a fresh broker, as `cargo xtask bench` starts one",
            settings.kafka.topic
        ))),
    }
}

/// Appends these facts and waits until all of them are in the log; returns where it ends.
///
/// # Errors
/// A broker that does not take them all.
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
            "topic {} took {appended} of {sent} facts; see the broker's log",
            settings.kafka.topic
        )))
    })
    .await?
}

/// The next offset of every partition of the log. Blocks.
///
/// # Errors
/// A broker that does not answer.
pub(crate) fn ends(settings: &Settings) -> Result<Ends> {
    let topic = settings.kafka.topic.as_str();
    let client: BaseConsumer = client_config(&settings.kafka, "ess-bench").create()?;
    (0..settings.kafka.partitions)
        .map(|partition| {
            let (_, end) = client.fetch_watermarks(topic, partition as i32, ANSWERS_WITHIN)?;
            Ok((partition as u16, end as u64))
        })
        .collect()
}

/// Appends facts as the command-api does.
pub(crate) struct Writer {
    producer: ThreadedProducer<DefaultProducerContext>,
    topic: String,
}

impl Writer {
    /// # Errors
    /// A setting that librdkafka does not take.
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let mut config = producer_config(&settings.kafka, &settings.producer, "ess-bench");
        // Filling is nobody's request: it may take as long as it takes.
        config.set("message.timeout.ms", "300000");
        Ok(Self {
            producer: config.create()?,
            topic: settings.kafka.topic.clone(),
        })
    }

    /// Hands one fact over; waits while the producer is full.
    ///
    /// # Errors
    /// A producer that is broken.
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
            // Reports are taken by the producer's own thread; a full queue needs time, and an unfinished flush is no failure.
            let _ = self.producer.flush(FULL);
            record = unsent;
        }
        Ok(())
    }

    /// Waits until everything is in the log.
    ///
    /// # Errors
    /// Not in time.
    pub(crate) fn flush(&self) -> Result<()> {
        Ok(self.producer.flush(FLUSHED_WITHIN)?)
    }
}
