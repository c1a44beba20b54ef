//! Fetches single records from Kafka again: a row that ClickHouse refuses becomes a dead letter with its original bytes, which
//! the pipeline no longer has. It must never join the group or commit.

use std::{sync::Arc, time::Duration};

use ess_schema::Position;
use ess_service::{config::KafkaConfig, kafka::consumer_config};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    message::OwnedMessage,
};
use tokio::task::spawn_blocking;

use crate::{
    decode::{DeadLetter, REFUSED, position},
    retry::retry_forever,
    status::{PipelineStatus, Stage},
};

/// For one record.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// Fetches records by position.
pub(crate) struct RecordRefetcher {
    config: ClientConfig,
    topic: String,
    status: Arc<PipelineStatus>,
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("cannot fetch the record from Kafka again: {0}")]
    Kafka(#[from] KafkaError),
    #[error("Kafka did not respond within {} s", FETCH_TIMEOUT.as_secs())]
    TimedOut,
    #[error("the task that fetches records ended: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl RecordRefetcher {
    /// librdkafka requires a group name; the group is not joined.
    pub(crate) fn new(kafka: &KafkaConfig, group: &str, status: Arc<PipelineStatus>) -> Self {
        let mut config = consumer_config(kafka, group, "ess-projector-originals");
        config
            .set("enable.partition.eof", "true")
            // Prefetch little: each fetch needs one record.
            .set("queued.min.messages", "1")
            .set("queued.max.messages.kbytes", "1024");
        Self {
            config,
            topic: kafka.topic.clone(),
            status,
        }
    }

    /// The dead letters of refused rows, given by position and reason.
    pub(crate) async fn dead_letters(&self, refused: Vec<(Position, String)>) -> Vec<DeadLetter> {
        if refused.is_empty() {
            return Vec::new();
        }
        let positions: Arc<[Position]> = refused.iter().map(|(position, _)| *position).collect();
        let records = retry_forever(&self.status, Stage::DeadLetters, || {
            self.fetch(Arc::clone(&positions))
        });
        let pairs = refused.into_iter().zip(records.await);
        pairs
            .map(|((position, reason), record)| self.dead_letter(position, reason, record))
            .collect()
    }

    fn dead_letter(
        &self,
        position: Position,
        reason: String,
        record: Option<OwnedMessage>,
    ) -> DeadLetter {
        let (record, reason) = match record {
            Some(record) => (record, reason),
            None => (
                self.empty_record(position),
                format!("{reason}; Kafka no longer has the original record"),
            ),
        };
        DeadLetter {
            record,
            code: REFUSED,
            reason,
        }
    }

    /// Stands for a record that the topic's retention has deleted.
    fn empty_record(&self, at: Position) -> OwnedMessage {
        let (topic, time) = (self.topic.clone(), rdkafka::Timestamp::NotAvailable);
        let (partition, offset) = (i32::from(at.partition), at.offset as i64);
        OwnedMessage::new(None, None, topic, time, partition, offset, None)
    }

    async fn fetch(
        &self,
        positions: Arc<[Position]>,
    ) -> Result<Vec<Option<OwnedMessage>>, FetchError> {
        let (config, topic) = (self.config.clone(), self.topic.clone());
        let fetched = spawn_blocking(move || {
            let consumer: BaseConsumer = config.create()?;
            let each = positions.iter().map(|at| fetch_one(&consumer, &topic, *at));
            each.collect()
        });
        fetched.await?
    }
}

/// The record at exactly this position; none when Kafka no longer has it.
fn fetch_one(
    consumer: &BaseConsumer,
    topic: &str,
    at: Position,
) -> Result<Option<OwnedMessage>, FetchError> {
    let mut assignment = TopicPartitionList::new();
    let offset = Offset::Offset(at.offset as i64);
    assignment.add_partition_offset(topic, i32::from(at.partition), offset)?;
    consumer.assign(&assignment)?;
    loop {
        match consumer.poll(FETCH_TIMEOUT).ok_or(FetchError::TimedOut)? {
            // Records prefetched for the previous position may still arrive.
            Ok(record)
                if position(&record) < at || record.partition() != i32::from(at.partition) => {}
            Ok(record) => return Ok((position(&record) == at).then(|| record.detach())),
            Err(KafkaError::PartitionEOF(partition)) if partition == i32::from(at.partition) => {
                return Ok(None);
            }
            Err(KafkaError::PartitionEOF(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
