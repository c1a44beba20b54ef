//! The consumer's thread: polls records into batches, serves the consumer group and commits offsets. When all batches in
//! flight are full, it pauses its partitions and keeps polling, so that it stays in the group (I10). It must never wait for an
//! insert, except when partitions are revoked.

pub(crate) mod member;

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use ess_service::{config::KafkaConfig, kafka::consumer_config};
use rdkafka::{
    consumer::{BaseConsumer, CommitMode, Consumer as _},
    error::KafkaError,
};
use tokio::{sync::oneshot, time::sleep};
use tokio_util::sync::CancellationToken;

use self::member::GroupMember;
use crate::{batch::Due, kafka::PartitionBounds, memory::MemoryBudget};

/// Records polled before the batch is checked again.
const MAX_POLL_RECORDS: usize = 512;
/// The longest poll, so that commits, stops and pauses are handled in time.
const MAX_POLL_WAIT: Duration = Duration::from_millis(100);
/// How long a full batch blocks the thread before the partitions are paused. A pause discards the prefetched records, so it is
/// for an outage of ClickHouse and not for a slow insert. Far below `max.poll.interval.ms`, 5 min.
const PAUSE_AFTER: Duration = Duration::from_secs(3);
const COMMIT_INTERVAL: Duration = Duration::from_millis(200);
/// Between two attempts to find the topic.
const TOPIC_RETRY_INTERVAL: Duration = Duration::from_millis(500);
const WATERMARKS_TIMEOUT: Duration = Duration::from_secs(1);
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);
/// A [`Position`](ess_schema::Position) has 16 bits for the partition.
const MAX_PARTITIONS: usize = 1 << 16;

/// The consumer cannot continue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsumeError {
    #[error("cannot start the consumer's thread: {0}")]
    Thread(#[from] io::Error),
    #[error("cannot consume the topic: {0}")]
    Kafka(#[from] KafkaError),
    #[error("topic {0} has {1} partitions; the maximum is {MAX_PARTITIONS}")]
    TooManyPartitions(String, usize),
    #[error(
        "the drain timed out before all consumed records were stored; their offsets are not committed, the next start consumes \
         them again"
    )]
    DrainTimedOut,
    #[error("the consumer's thread panicked")]
    Panicked,
}

/// Consumes until stopped, then drains and leaves the group. The future ends when the thread does.
pub(crate) async fn consume(
    kafka: KafkaConfig,
    memory: MemoryBudget,
    group: String,
    member: GroupMember,
    stopping: CancellationToken,
) -> Result<(), ConsumeError> {
    let (result_tx, result_rx) = oneshot::channel();
    thread::Builder::new()
        .name("consumer".to_owned())
        .spawn(move || {
            let consumer = Consumer::new(&kafka, memory, &group, member, stopping);
            let _ = result_tx.send(consumer.and_then(Consumer::run));
        })?;
    result_rx.await.unwrap_or(Err(ConsumeError::Panicked))
}

struct Consumer {
    client: BaseConsumer<GroupMember>,
    stopping: CancellationToken,
    /// How long the next poll may wait for a record.
    poll_wait: Duration,
    last_commit: Instant,
    /// Counts refreshed bounds; see [`Consumer::refresh_bounds`].
    refreshes: usize,
}

impl Consumer {
    fn new(
        kafka: &KafkaConfig,
        memory: MemoryBudget,
        group: &str,
        member: GroupMember,
        stopping: CancellationToken,
    ) -> Result<Self, ConsumeError> {
        let mut config = consumer_config(kafka, group, "ess-projector");
        memory.limit_fetching(&mut config);
        config
            // For the lag and readiness: high watermarks and the state of the brokers.
            .set("statistics.interval.ms", "1000")
            // The partitions of a killed projector are reassigned after this time. It is the shortest that a broker accepts by
            // default (group.min.session.timeout.ms). Heartbeats have a thread of their own, so load does not delay them.
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "1500");
        Ok(Self {
            client: config.create_with_context(member)?,
            stopping,
            poll_wait: MAX_POLL_WAIT,
            last_commit: Instant::now(),
            refreshes: 0,
        })
    }

    fn run(mut self) -> Result<(), ConsumeError> {
        if !self.wait_for_topic()? {
            return Ok(());
        }
        self.client.subscribe(&[&self.member().topic])?;
        while !self.stopping.is_cancelled() {
            self.poll_once()?;
        }
        self.leave()
    }

    /// Waits until the topic exists; it must never create it. Returns false when stopped before.
    fn wait_for_topic(&self) -> Result<bool, ConsumeError> {
        let topic = self.member().topic.as_str();
        while !self.stopping.is_cancelled() {
            let problem = match self.partition_count(topic) {
                Ok(Some(count)) if count > MAX_PARTITIONS => {
                    return Err(ConsumeError::TooManyPartitions(topic.to_owned(), count));
                }
                Ok(Some(_)) => return Ok(true),
                Ok(None) => format!("topic {topic} does not exist; `projector init` creates it"),
                Err(error) => format!("no Kafka broker responds: {error}"),
            };
            tracing::warn!("waiting for the topic: {problem}");
            self.member().status.set_kafka_problem(Some(problem));
            self.wait_for(std::future::pending(), TOPIC_RETRY_INTERVAL);
        }
        Ok(false)
    }

    fn partition_count(&self, topic: &str) -> Result<Option<usize>, KafkaError> {
        let metadata = self.client.fetch_metadata(Some(topic), METADATA_TIMEOUT)?;
        let found = metadata.topics().iter().find(|known| known.name() == topic);
        let found = found.filter(|known| known.error().is_none());
        Ok(found
            .map(|known| known.partitions().len())
            .filter(|count| *count > 0))
    }

    /// Waits until `done`, the timeout, or the stop. Returns whether it is done.
    fn wait_for(&self, done: impl Future<Output = ()>, timeout: Duration) -> bool {
        self.member().runtime.block_on(async {
            tokio::select! {
                () = done => true,
                () = sleep(timeout) => false,
                () = self.stopping.cancelled() => false,
            }
        })
    }

    fn poll_once(&mut self) -> Result<(), ConsumeError> {
        self.member().status.set_polled_at(Instant::now());
        let caught_up = self.poll_records()?;
        let due = self.member().accumulator.due(caught_up);
        self.poll_wait = match due {
            Due::Empty => MAX_POLL_WAIT,
            Due::In(wait) if caught_up => wait.min(MAX_POLL_WAIT),
            Due::In(_) => Duration::ZERO,
            // Without a permit the batch grows further; with no record to add, wait for a permit.
            Due::Now if self.member().accumulator.try_flush() || !caught_up => Duration::ZERO,
            Due::Now => Duration::from_millis(1),
            Due::Full => {
                self.apply_backpressure()?;
                Duration::ZERO
            }
        };
        if due != Due::Full && self.is_paused() {
            // The full batch was flushed as partitions were revoked.
            self.pause(false)?;
        }
        if self.last_commit.elapsed() >= COMMIT_INTERVAL {
            self.member().commit(&self.client, CommitMode::Async);
            self.last_commit = Instant::now();
        }
        Ok(())
    }

    /// Polls up to [`MAX_POLL_RECORDS`], and no more than the batch may hold. Returns whether Kafka had no further record.
    fn poll_records(&self) -> Result<bool, ConsumeError> {
        let mut wait = self.poll_wait;
        let mut now = None;
        for _ in 0..MAX_POLL_RECORDS {
            match self.client.poll(wait) {
                Some(Ok(record)) => {
                    let now = *now.get_or_insert_with(Instant::now);
                    if self.member().accumulator.add(&record, now) {
                        return Ok(false);
                    }
                }
                Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => {
                    return Err(error.into());
                }
                // librdkafka has logged it and recovers by itself.
                Some(Err(_)) => {}
                None => return Ok(true),
            }
            wait = Duration::ZERO;
        }
        Ok(false)
    }

    /// Flushes the full batch, or pauses the partitions until a permit is free.
    fn apply_backpressure(&mut self) -> Result<(), ConsumeError> {
        let timeout = if self.is_paused() {
            MAX_POLL_WAIT
        } else {
            PAUSE_AFTER
        };
        let flushed = self.wait_for(self.member().accumulator.flush(), timeout);
        if flushed == self.is_paused() {
            self.pause(!flushed)?;
        } else if !flushed {
            self.refresh_bounds()?;
        }
        Ok(())
    }

    /// Queries the bounds of one partition, the next one at each call. Paused partitions are not fetched, so librdkafka does
    /// not report their bounds, and the lag (I11) needs them.
    fn refresh_bounds(&mut self) -> Result<(), ConsumeError> {
        let assigned = self.client.assignment()?;
        self.refreshes = (self.refreshes + 1) % assigned.count().max(1);
        let Some(next) = assigned.elements().into_iter().nth(self.refreshes) else {
            return Ok(());
        };
        let (topic, partition) = (&self.member().topic, next.partition());
        // After an error the last known bounds stay.
        if let Ok(watermarks) = self
            .client
            .fetch_watermarks(topic, partition, WATERMARKS_TIMEOUT)
        {
            let bounds = PartitionBounds::new(watermarks);
            let status = &self.member().status;
            status.set_partition_bounds(partition as u16, bounds);
        }
        Ok(())
    }

    fn is_paused(&self) -> bool {
        self.member().paused.load(Ordering::Relaxed)
    }

    fn pause(&self, pause: bool) -> Result<(), ConsumeError> {
        let partitions = self.client.assignment()?;
        if pause {
            tracing::info!("partitions paused: the maximum of batches is in flight");
            self.client.pause(&partitions)?;
        } else {
            tracing::info!("partitions resumed");
            self.client.resume(&partitions)?;
        }
        self.member().paused.store(pause, Ordering::Relaxed);
        Ok(())
    }

    /// Stores and commits the consumed records, then leaves the group.
    fn leave(self) -> Result<(), ConsumeError> {
        let member = self.member();
        let partitions = member.offsets.lock().assigned();
        let drained = member.drain(&self.client, &partitions);
        // Later reports about these partitions must not be committed.
        for partition in &partitions {
            member.offsets.lock().revoke(*partition);
        }
        drop(self.client);
        if drained {
            tracing::info!("all consumed records are stored and committed, the group is left");
            Ok(())
        } else {
            Err(ConsumeError::DrainTimedOut)
        }
    }

    fn member(&self) -> &Arc<GroupMember> {
        self.client.context()
    }
}
