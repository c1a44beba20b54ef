//! Consume, decode and batch without the rest: benchmarks measure the cost of Kafka and of decoding with it. It must never join
//! a group, commit or store.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use ess_service::kafka::consumer_config;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    message::BorrowedMessage,
};

use crate::{
    batch::{Batcher, Limits, column_pool::ColumnPool},
    config::Settings,
    decode::{decode, position},
};

/// For the next record, while some are missing.
const POLL_TIMEOUT: Duration = Duration::from_secs(30);

/// The consumed records.
#[derive(Debug, Clone, Copy, Default)]
pub struct Consumed {
    /// Records that became rows.
    pub rows: u64,
    /// Records that became dead letters.
    pub dead_letters: u64,
    /// From the first record to the last.
    pub elapsed: Duration,
}

/// Not all records could be consumed.
#[derive(Debug, thiserror::Error)]
pub enum DryRunError {
    /// An error of the consumer.
    #[error("cannot consume the topic: {0}")]
    Kafka(#[from] KafkaError),
    /// Kafka returned no further record.
    #[error("no record within {} s; the end offsets of the incomplete partitions are {missing:?}", POLL_TIMEOUT.as_secs())]
    TimedOut {
        /// The end offset of each partition that was not reached.
        missing: BTreeMap<u16, u64>,
    },
}

/// Consumes the topic from its beginning up to `ends`, the next offset of each partition. Decodes and batches as
/// [`crate::app::run`] does, and drops every full batch. Blocks.
///
/// # Errors
/// A topic that cannot be consumed, or that has fewer records.
pub fn run(settings: &Settings, ends: &BTreeMap<u16, u64>) -> Result<Consumed, DryRunError> {
    let mut missing = ends.clone();
    missing.retain(|_, end| *end > 0);
    let consumer = consumer(settings, &missing)?;
    let mut run = DryRun::new(settings);
    while !missing.is_empty() {
        let Some(record) = consumer.poll(POLL_TIMEOUT) else {
            return Err(DryRunError::TimedOut { missing });
        };
        let record = record?;
        let at = position(&record);
        run.add(&record);
        if missing.get(&at.partition) == Some(&(at.offset + 1)) {
            missing.remove(&at.partition);
        }
    }
    Ok(run.finish())
}

fn consumer(settings: &Settings, ends: &BTreeMap<u16, u64>) -> Result<BaseConsumer, KafkaError> {
    let kafka = &settings.kafka;
    let group = format!("{}-dry-run", settings.projector.group);
    let mut config = consumer_config(kafka, &group, "ess-projector-dry-run");
    settings.projector.memory().limit_fetching(&mut config);
    let consumer: BaseConsumer = config.create()?;
    let mut assigned = TopicPartitionList::new();
    for partition in ends.keys() {
        let partition = i32::from(*partition);
        assigned.add_partition_offset(&kafka.topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&assigned)?;
    Ok(consumer)
}

/// Counts the records of dropped batches.
struct DryRun {
    batcher: Batcher,
    columns: ColumnPool,
    first_record_at: Option<Instant>,
    consumed: Consumed,
}

impl DryRun {
    fn new(settings: &Settings) -> Self {
        let limits = Limits::from(&settings.projector);
        Self {
            batcher: Batcher::new(limits, Instant::now()),
            columns: ColumnPool::new(settings.projector.memory().batch_capacity()),
            first_record_at: None,
            consumed: Consumed::default(),
        }
    }

    fn add(&mut self, record: &BorrowedMessage<'_>) {
        let now = *self.first_record_at.get_or_insert_with(Instant::now);
        self.batcher.push(position(record), decode(record), now);
        if self.batcher.is_full() {
            self.drop_batch();
        }
    }

    fn drop_batch(&mut self) {
        let columns = self.columns.acquire();
        let batch = self.batcher.finish_batch(Instant::now(), columns);
        self.consumed.rows += batch.rows.len() as u64;
        self.consumed.dead_letters += batch.dead_letters.len() as u64;
        self.columns.release(batch.rows);
    }

    fn finish(mut self) -> Consumed {
        self.drop_batch();
        let first = self.first_record_at;
        self.consumed.elapsed = first.map_or(Duration::ZERO, |first| first.elapsed());
        self.consumed
    }
}
