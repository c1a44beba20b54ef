//! The projector as a member of its consumer group: assigned and revoked partitions, and commits. All methods must run in the
//! consumer's thread, so that no commit overlaps a change of the assignment.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    ClientConfig, ClientContext, Offset, Statistics, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    types::RDKafkaRespErr,
};
use tokio::{runtime::Handle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    batch::accumulator::RecordAccumulator,
    commit::{progress::ProgressTable, shared::SharedOffsets},
    generation_watch::GenerationWatch,
    kafka::PartitionBounds,
    metrics,
    status::PipelineStatus,
};

/// How long to look up the start offsets of assigned partitions before the group's own offsets are used.
const OFFSETS_TIMEOUT: Duration = Duration::from_secs(5);

/// A member of the consumer group.
pub(crate) struct GroupMember {
    pub(crate) topic: String,
    /// The configuration of a client that reads the offsets of the previous group, whose work this group continues. It must
    /// not join that group.
    pub(crate) previous_group: Option<ClientConfig>,
    pub(crate) accumulator: RecordAccumulator,
    pub(crate) offsets: Arc<SharedOffsets>,
    pub(crate) progress: ProgressTable,
    pub(crate) status: Arc<PipelineStatus>,
    pub(crate) runtime: Handle,
    /// How long batches in flight may take when partitions are revoked.
    pub(crate) drain_timeout: Duration,
    /// Whether the partitions are paused, newly assigned ones included.
    pub(crate) paused: AtomicBool,
    /// Whether this generation is still the target; none for a rebuild, which has a fixed target.
    pub(crate) generation_watch: Option<GenerationWatch>,
    pub(crate) stopping: CancellationToken,
}

impl GroupMember {
    /// Flushes the batch, waits until all records of these partitions are stored, and commits their offsets. Returns false
    /// after the timeout.
    pub(crate) fn drain(&self, consumer: &BaseConsumer<Self>, partitions: &[u16]) -> bool {
        let stored = async {
            self.accumulator.flush().await;
            self.offsets.wait_until_recorded(partitions).await;
        };
        let drained = self
            .runtime
            .block_on(async { timeout(self.drain_timeout, stored).await.is_ok() });
        self.commit(consumer, CommitMode::Sync);
        drained
    }

    /// Commits the offsets that may be committed.
    pub(crate) fn commit(&self, consumer: &BaseConsumer<Self>, mode: CommitMode) {
        let offsets = self.offsets.lock().take_committable();
        if offsets.is_empty() {
            return;
        }
        let mut list = TopicPartitionList::new();
        let added = offsets.iter().try_for_each(|(partition, offset)| {
            let offset = Offset::Offset(*offset as i64);
            list.add_partition_offset(&self.topic, i32::from(*partition), offset)
        });
        if let Err(error) = added.and_then(|()| consumer.commit(&list, mode)) {
            self.commit_failed(&error, offsets.into_keys());
        }
    }

    fn commit_failed(&self, error: &KafkaError, partitions: impl Iterator<Item = u16>) {
        tracing::warn!(%error, "commit failed, trying again: {error}");
        let mut tracker = self.offsets.lock();
        partitions.for_each(|partition| tracker.commit_failed(partition));
    }

    /// Waits until this generation is the target; returns false when stopped before.
    fn is_target(&self) -> bool {
        let watch = self.generation_watch.as_ref();
        watch.is_none_or(|watch| self.runtime.block_on(watch.is_target(&self.stopping)))
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, list: &mut TopicPartitionList) {
        let partitions = partitions(list);
        if !self.is_target() {
            self.paused.store(true, Ordering::Relaxed);
        }
        let starts = self.start_offsets(consumer, list);
        if let Err(error) = consumer.incremental_assign(list) {
            tracing::error!(%error, ?partitions, "cannot assign partitions {partitions:?}: {error}");
            return;
        }
        if self.paused.load(Ordering::Relaxed)
            && let Err(error) = consumer.pause(list)
        {
            tracing::error!(%error, "cannot pause the assigned partitions: {error}");
        }
        let mut tracker = self.offsets.lock();
        for partition in &partitions {
            tracker.assign(*partition, starts.get(partition).copied());
        }
        tracing::info!(?partitions, "partitions assigned: {partitions:?}");
    }

    /// The committed offsets of the previous group. That group has sent the dead letters below them.
    fn previous_offsets(&self, list: &TopicPartitionList) -> BTreeMap<u16, u64> {
        let Some(previous_group) = &self.previous_group else {
            return BTreeMap::new();
        };
        let committed = previous_group
            .create::<BaseConsumer>()
            .and_then(|client| client.committed_offsets(list.clone(), OFFSETS_TIMEOUT));
        match committed {
            Ok(committed) => offsets(&committed),
            Err(error) => {
                tracing::warn!(%error, "cannot look up the offsets of the previous generation's group, dead letters may be sent twice: {error}");
                BTreeMap::new()
            }
        }
    }

    /// Where consumption of each partition starts; none at the beginning. That is the higher of the offsets of this group and
    /// of the previous one, unless the read model holds less: then its tables were emptied or restored, and consumption starts
    /// at their progress (I2).
    fn start_offsets(
        &self,
        consumer: &BaseConsumer<Self>,
        list: &mut TopicPartitionList,
    ) -> BTreeMap<u16, u64> {
        let committed = consumer.committed_offsets(list.clone(), OFFSETS_TIMEOUT);
        let mut starts = match committed {
            Ok(committed) => offsets(&committed),
            Err(error) => {
                tracing::warn!(%error, "cannot look up the group's offsets: {error}");
                return BTreeMap::new();
            }
        };
        for (partition, offset) in self.previous_offsets(list) {
            if starts.get(&partition).is_none_or(|own| *own < offset)
                && self.start_at(list, partition, Offset::Offset(offset as i64))
            {
                starts.insert(partition, offset);
            }
        }
        let read = self
            .runtime
            .block_on(async { timeout(OFFSETS_TIMEOUT, self.progress.read()).await });
        let Ok(Ok(projected)) = read else {
            tracing::warn!(
                "cannot read the progress of the read model, starting at the group's offsets"
            );
            return starts;
        };
        starts.retain(|partition, committed| {
            let projected = projected.get(partition).copied();
            if projected >= Some(*committed) {
                return true;
            }
            let start = projected.map_or(Offset::Beginning, |next| Offset::Offset(next as i64));
            tracing::warn!(partition, committed, ?projected, "partition {partition}: the group has committed {committed}, but the read model holds less; starting at {start:?}");
            self.start_at(list, *partition, start);
            *committed = projected.unwrap_or_default();
            projected.is_some()
        });
        starts
    }

    /// Sets the start of a partition; returns whether that succeeded.
    fn start_at(&self, list: &mut TopicPartitionList, partition: u16, start: Offset) -> bool {
        let set = list.set_partition_offset(&self.topic, i32::from(partition), start);
        if let Err(error) = &set {
            tracing::error!(%error, "cannot start partition {partition} at {start:?}: {error}");
        }
        set.is_ok()
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) {
        let partitions = partitions(list);
        let assigned = self.offsets.lock().assigned();
        let known = partitions.iter().any(|p| assigned.contains(p));
        if consumer.assignment_lost() {
            tracing::warn!(
                ?partitions,
                "partitions lost: {partitions:?}; another member consumes them"
            );
        } else if known && !self.drain(consumer, &partitions) {
            tracing::warn!(
                ?partitions,
                "partitions {partitions:?} are revoked before all their records are stored; their next consumer stores the rest"
            );
        }
        for partition in &partitions {
            self.offsets.lock().revoke(*partition);
            self.accumulator.forget_partition(*partition);
            metrics::lag(*partition, 0);
        }
        if let Err(error) = consumer.incremental_unassign(list) {
            tracing::error!(%error, ?partitions, "cannot unassign partitions {partitions:?}: {error}");
        }
        tracing::info!(?partitions, "partitions revoked: {partitions:?}");
    }
}

impl ConsumerContext for GroupMember {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        kind: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        if kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            metrics::rebalanced("assign");
            self.assign(consumer, list);
        } else {
            metrics::rebalanced("revoke");
            self.revoke(consumer, list);
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, list: &TopicPartitionList) {
        match result {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => self.commit_failed(&error, partitions(list).into_iter()),
        }
    }
}

impl ClientContext for GroupMember {
    fn stats(&self, statistics: Statistics) {
        let mut brokers = statistics.brokers.values();
        let connected = brokers.any(|broker| broker.state == "UP");
        let problem = (!connected).then(|| "no Kafka broker responds".to_owned());
        self.status.set_kafka_problem(problem);
        let topic = statistics.topics.get(&self.topic);
        let partitions = topic
            .into_iter()
            .flat_map(|topic| topic.partitions.values());
        let bounds = partitions.filter_map(|known| {
            let high = u64::try_from(known.hi_offset).ok()?;
            let low = u64::try_from(known.lo_offset).unwrap_or_default();
            let partition = u16::try_from(known.partition).ok()?;
            Some((partition, PartitionBounds { low, high }))
        });
        // They do not advance while the partitions are paused; see `Consumer::refresh_bounds`.
        if !self.paused.load(Ordering::Relaxed) {
            self.status.set_bounds(bounds.collect());
        }
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => tracing::warn!(facility, "librdkafka: {message}"),
            _ => tracing::debug!(facility, "librdkafka: {message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, "librdkafka: {error}: {reason}");
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<u16> {
    let elements = list.elements();
    let each = elements.iter();
    each.filter_map(|element| u16::try_from(element.partition()).ok())
        .collect()
}

/// The offsets in a list, without those that are unset.
fn offsets(list: &TopicPartitionList) -> BTreeMap<u16, u64> {
    let elements = list.elements();
    let each = elements.iter().filter_map(|element| {
        let partition = u16::try_from(element.partition()).ok()?;
        let offset = element.offset().to_raw()?;
        Some((partition, u64::try_from(offset).ok()?))
    });
    each.collect()
}
