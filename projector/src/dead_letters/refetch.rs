//! Reads single records of the log again: a row that the read model refuses becomes a dead letter with its original bytes,
//! which nobody kept, because hardly any row is refused. It never joins the group and never commits.

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
    retry::until_done,
    status::{Stage, Vitals},
};

/// How long the broker may take to hand out one record.
const WITHIN: Duration = Duration::from_secs(10);

/// The log, read at single positions.
pub(crate) struct Originals {
    config: ClientConfig,
    topic: String,
    vitals: Arc<Vitals>,
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("the log cannot be read again: {0}")]
    Kafka(#[from] KafkaError),
    #[error("the log did not answer within {} s", WITHIN.as_secs())]
    TimedOut,
    #[error("the reader ended: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl Originals {
    /// A reader of the log; `group` is named but not joined, as librdkafka wants a name.
    pub(crate) fn new(kafka: &KafkaConfig, group: &str, vitals: Arc<Vitals>) -> Self {
        let mut config = consumer_config(kafka, group, "ess-projector-originals");
        config
            .set("enable.partition.eof", "true")
            // It is here for one record at a time.
            .set("queued.min.messages", "1")
            .set("queued.max.messages.kbytes", "1024");
        Self {
            config,
            topic: kafka.topic.clone(),
            vitals,
        }
    }

    /// The dead letters of refused rows: where each was found, and what the read model said.
    pub(crate) async fn dead_letters(&self, refused: Vec<(Position, String)>) -> Vec<DeadLetter> {
        if refused.is_empty() {
            return Vec::new();
        }
        let positions: Arc<[Position]> = refused.iter().map(|(position, _)| *position).collect();
        let records = until_done(&self.vitals, Stage::DeadLetters, || {
            self.read(Arc::clone(&positions))
        });
        let paired = refused.into_iter().zip(records.await);
        paired
            .map(|((position, refusal), record)| self.dead_letter(position, refusal, record))
            .collect()
    }

    fn dead_letter(
        &self,
        position: Position,
        refusal: String,
        record: Option<OwnedMessage>,
    ) -> DeadLetter {
        let (record, reason) = match record {
            Some(record) => (record, refusal),
            None => (
                self.lost(position),
                format!("{refusal}; the log no longer holds the original"),
            ),
        };
        DeadLetter {
            record,
            code: REFUSED,
            reason,
        }
    }

    /// Stands for a record that the log's retention removed meanwhile.
    fn lost(&self, at: Position) -> OwnedMessage {
        let (topic, time) = (self.topic.clone(), rdkafka::Timestamp::NotAvailable);
        let (partition, offset) = (i32::from(at.partition), at.offset as i64);
        OwnedMessage::new(None, None, topic, time, partition, offset, None)
    }

    async fn read(
        &self,
        positions: Arc<[Position]>,
    ) -> Result<Vec<Option<OwnedMessage>>, ReadError> {
        let (config, topic) = (self.config.clone(), self.topic.clone());
        let reading = spawn_blocking(move || {
            let consumer: BaseConsumer = config.create()?;
            let each = positions.iter().map(|at| read_one(&consumer, &topic, *at));
            each.collect()
        });
        reading.await?
    }
}

/// The record at exactly this position, none when the log no longer has it.
fn read_one(
    consumer: &BaseConsumer,
    topic: &str,
    at: Position,
) -> Result<Option<OwnedMessage>, ReadError> {
    let mut place = TopicPartitionList::new();
    let offset = Offset::Offset(at.offset as i64);
    place.add_partition_offset(topic, i32::from(at.partition), offset)?;
    consumer.assign(&place)?;
    loop {
        match consumer.poll(WITHIN).ok_or(ReadError::TimedOut)? {
            // What was fetched for the position before may still arrive.
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
