//! The first half of the path alone: consume, decode, batch, and then drop what would be stored. Benchmarks ask with it what
//! the log and the decoding cost without the read model. It joins no group, commits nothing, stores nothing.

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
    batch::column_pool::Spares,
    batch::{Batcher, Limits},
    config::Settings,
    decode::{decode, position},
};

/// How long the broker may have nothing to hand out while records are still to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was taken from the log.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taken {
    /// Records that became rows.
    pub rows: u64,
    /// Records that became dead letters.
    pub dead_letters: u64,
    /// From the first record to the last.
    pub took: Duration,
}

/// The log did not hand out everything.
#[derive(Debug, thiserror::Error)]
pub enum DryRunError {
    /// It cannot be consumed.
    #[error("the log cannot be consumed: {0}")]
    Kafka(#[from] KafkaError),
    /// It fell silent.
    #[error(
        "the log handed out nothing for {} s; still to come, by partition, everything up to {missing:?}",
        PATIENCE.as_secs()
    )]
    Silent {
        /// The next offset of each partition that was not reached.
        missing: BTreeMap<u16, u64>,
    },
}

/// Takes the log from its beginning up to `ends`, the next offset of each partition, through the same decoding and batching
/// as [`crate::app::run`] does, and drops every batch that is full. Blocks.
///
/// # Errors
/// A log that cannot be consumed, or ends earlier.
pub fn take(settings: &Settings, ends: &BTreeMap<u16, u64>) -> Result<Taken, DryRunError> {
    let mut missing = ends.clone();
    missing.retain(|_, end| *end > 0);
    let consumer = consumer(settings, &missing)?;
    let mut rows = Rows::new(settings);
    while !missing.is_empty() {
        let Some(record) = consumer.poll(PATIENCE) else {
            return Err(DryRunError::Silent { missing });
        };
        let record = record?;
        let at = position(&record);
        rows.take(&record);
        if missing.get(&at.partition) == Some(&(at.offset + 1)) {
            missing.remove(&at.partition);
        }
    }
    Ok(rows.taken())
}

fn consumer(settings: &Settings, ends: &BTreeMap<u16, u64>) -> Result<BaseConsumer, KafkaError> {
    let kafka = &settings.kafka;
    let group = format!("{}-dry-run", settings.projector.group);
    let mut config = consumer_config(kafka, &group, "ess-projector-dry-run");
    settings.projector.memory().bound_fetching(&mut config);
    let consumer: BaseConsumer = config.create()?;
    let mut assigned = TopicPartitionList::new();
    for partition in ends.keys() {
        let partition = i32::from(*partition);
        assigned.add_partition_offset(&kafka.topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&assigned)?;
    Ok(consumer)
}

/// Counts what would be stored.
struct Rows {
    batcher: Batcher,
    spares: Spares,
    begun: Option<Instant>,
    taken: Taken,
}

impl Rows {
    fn new(settings: &Settings) -> Self {
        let limits = Limits::from(&settings.projector);
        Self {
            batcher: Batcher::new(limits, Instant::now()),
            spares: Spares::new(settings.projector.memory().batch_room()),
            begun: None,
            taken: Taken::default(),
        }
    }

    fn take(&mut self, record: &BorrowedMessage<'_>) {
        let begun = *self.begun.get_or_insert_with(Instant::now);
        let outcome = decode(record);
        self.batcher.push(position(record), outcome, begun);
        if self.batcher.is_full() {
            self.drop_batch();
        }
    }

    fn drop_batch(&mut self) {
        let batch = self.batcher.cut(Instant::now(), self.spares.take());
        self.taken.rows += batch.rows.len() as u64;
        self.taken.dead_letters += batch.dead_letters.len() as u64;
        self.spares.give(batch.rows);
    }

    fn taken(mut self) -> Taken {
        self.drop_batch();
        self.taken.took = self.begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        self.taken
    }
}
