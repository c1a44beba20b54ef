//! This projector as a member of its consumer group: what happens when partitions come and go, and commits. Every method
//! runs in the consumer's thread, so that no commit can cross a change of the assignment.

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
    batch::dispatch::Intake,
    commit::offsets::Offsets,
    commit::progress::Progress,
    generation_watch::CourseWatch,
    metrics,
    status::{Bounds, Vitals},
};

/// How long the start of new partitions may be looked up, before the group's own offsets are trusted.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(5);

/// One member of the group.
pub(crate) struct Member {
    pub(crate) topic: String,
    /// A client of the group whose work this one goes on with; it is asked, not joined.
    pub(crate) predecessor: Option<ClientConfig>,
    pub(crate) intake: Intake,
    pub(crate) offsets: Arc<Offsets>,
    pub(crate) progress: Progress,
    pub(crate) vitals: Arc<Vitals>,
    pub(crate) runtime: Handle,
    /// How long what is in flight may take when partitions go.
    pub(crate) settle_within: Duration,
    /// Whether nothing more may be taken now, from new partitions neither.
    pub(crate) paused: AtomicBool,
    /// Whether this generation is the one to fold into; none: nobody else decides that.
    pub(crate) course: Option<CourseWatch>,
    pub(crate) stopping: CancellationToken,
}

impl Member {
    /// Hands on what was taken, waits until everything of these partitions is stored, and commits it. False: not in time.
    pub(crate) fn settle(&self, consumer: &BaseConsumer<Self>, partitions: &[u16]) -> bool {
        let settled = async {
            self.intake.hand_on().await;
            self.offsets.settled(partitions).await;
        };
        let within = self.settle_within;
        let in_time = self
            .runtime
            .block_on(async { timeout(within, settled).await.is_ok() });
        self.commit(consumer, CommitMode::Sync);
        in_time
    }

    /// Commits what may be committed.
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
        let committed = added.and_then(|()| consumer.commit(&list, mode));
        if let Err(error) = committed {
            self.commit_failed(&error, offsets.into_keys());
        }
    }

    fn commit_failed(&self, error: &KafkaError, partitions: impl Iterator<Item = u16>) {
        tracing::warn!(%error, "offsets could not be committed, trying again: {error}");
        let mut tracker = self.offsets.lock();
        partitions.for_each(|partition| tracker.commit_failed(partition));
    }

    /// Whether this generation is still the one to fold into, now that the group is joined. False: told to stop.
    fn is_on_course(&self) -> bool {
        let on = |course: &CourseWatch| self.runtime.block_on(course.is_on(&self.stopping));
        self.course.as_ref().is_none_or(on)
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, list: &mut TopicPartitionList) {
        let partitions = partitions(list);
        if !self.is_on_course() {
            self.paused.store(true, Ordering::Relaxed);
        }
        let starts = self.starts(consumer, list);
        if let Err(error) = consumer.incremental_assign(list) {
            tracing::error!(%error, ?partitions, "partitions {partitions:?} cannot be taken: {error}");
            return;
        }
        if self.paused.load(Ordering::Relaxed)
            && let Err(error) = consumer.pause(list)
        {
            tracing::error!(%error, "new partitions cannot be paused: {error}");
        }
        let mut tracker = self.offsets.lock();
        for partition in &partitions {
            tracker.assign(*partition, starts.get(partition).copied());
        }
        tracing::info!(?partitions, "partitions assigned: {partitions:?}");
    }

    /// How far the group before this one came. What it took, it also sent the dead letters of.
    fn inherited(&self, list: &TopicPartitionList) -> BTreeMap<u16, u64> {
        let Some(predecessor) = &self.predecessor else {
            return BTreeMap::new();
        };
        let committed = predecessor
            .create::<BaseConsumer>()
            .and_then(|asking| asking.committed_offsets(list.clone(), LOOK_UP_WITHIN));
        match committed {
            Ok(committed) => offsets(&committed).collect(),
            Err(error) => {
                tracing::warn!(%error, "the offsets of the generation before cannot be looked up, dead letters may be sent again: {error}");
                BTreeMap::new()
            }
        }
    }

    /// Goes on where the group before this one stood, where that is further.
    fn inherit(&self, list: &mut TopicPartitionList, starts: &mut BTreeMap<u16, u64>) {
        for (partition, offset) in self.inherited(list) {
            if starts.get(&partition).is_none_or(|own| *own < offset) {
                let from = Offset::Offset(offset as i64);
                match list.set_partition_offset(&self.topic, i32::from(partition), from) {
                    Ok(()) => drop(starts.insert(partition, offset)),
                    Err(error) => {
                        tracing::error!(%error, "partition {partition} cannot be set to {offset}: {error}");
                    }
                }
            }
        }
    }

    /// Where each partition starts; none: where the log begins. That is the group's offset or that of the group before it,
    /// unless the read model holds less: then it was emptied or restored, and is folded again from where it stands (I2).
    fn starts(
        &self,
        consumer: &BaseConsumer<Self>,
        list: &mut TopicPartitionList,
    ) -> BTreeMap<u16, u64> {
        let committed = consumer.committed_offsets(list.clone(), LOOK_UP_WITHIN);
        let mut starts: BTreeMap<u16, u64> = match committed {
            Ok(committed) => offsets(&committed).collect(),
            Err(error) => {
                tracing::warn!(%error, "the group's offsets cannot be looked up: {error}");
                return BTreeMap::new();
            }
        };
        self.inherit(list, &mut starts);
        let read = self
            .runtime
            .block_on(async { timeout(LOOK_UP_WITHIN, self.progress.read()).await });
        let Ok(Ok(projected)) = read else {
            tracing::warn!(
                "the read model does not say how far it holds the log; the group's offsets are trusted"
            );
            return starts;
        };
        starts.retain(|partition, committed| {
            let held = projected.get(partition).copied();
            if held >= Some(*committed) {
                return true;
            }
            let from = held.map_or(Offset::Beginning, |held| Offset::Offset(held as i64));
            tracing::warn!(partition, committed, ?held, "partition {partition}: the group is at {committed}, the read model holds less: folding again from {from:?}");
            if let Err(error) = list.set_partition_offset(&self.topic, i32::from(*partition), from) {
                tracing::error!(%error, "partition {partition} cannot be set back: {error}");
            }
            *committed = held.unwrap_or_default();
            held.is_some()
        });
        starts
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) {
        let partitions = partitions(list);
        let taken_away = consumer.assignment_lost();
        let ours = self.offsets.lock().assigned();
        let known = partitions.iter().any(|partition| ours.contains(partition));
        if taken_away {
            tracing::warn!(
                ?partitions,
                "partitions lost: {partitions:?}; another member has them"
            );
        } else if known && !self.settle(consumer, &partitions) {
            tracing::warn!(
                ?partitions,
                "partitions {partitions:?} go before all of them was stored; whoever gets them stores the rest"
            );
        }
        for partition in &partitions {
            self.offsets.lock().revoke(*partition);
            self.intake.forget(*partition);
            metrics::lag(*partition, 0);
        }
        if let Err(error) = consumer.incremental_unassign(list) {
            tracing::error!(%error, ?partitions, "partitions {partitions:?} cannot be given back: {error}");
        }
        tracing::info!(?partitions, "partitions revoked: {partitions:?}");
    }
}

impl ConsumerContext for Member {
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

impl ClientContext for Member {
    fn stats(&self, statistics: Statistics) {
        let mut brokers = statistics.brokers.values();
        let reached = brokers.any(|broker| broker.state == "UP");
        self.vitals
            .log((!reached).then(|| "no broker of the log answers".to_owned()));
        let topic = statistics.topics.get(&self.topic);
        let each = topic
            .into_iter()
            .flat_map(|topic| topic.partitions.values());
        let bounds = each.filter_map(|known| {
            let high = u64::try_from(known.hi_offset).ok()?;
            let low = u64::try_from(known.lo_offset).unwrap_or_default();
            Some((u16::try_from(known.partition).ok()?, Bounds { low, high }))
        });
        // While paused nothing is fetched, and these stand still; see `Consumer::look_at_bounds`.
        if !self.paused.load(Ordering::Relaxed) {
            self.vitals.bounds(bounds.collect());
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

fn offsets(list: &TopicPartitionList) -> impl Iterator<Item = (u16, u64)> {
    let elements = list.elements().into_iter();
    let each = elements.filter_map(|element| match element.offset() {
        Offset::Offset(offset) => Some((
            u16::try_from(element.partition()).ok()?,
            u64::try_from(offset).ok()?,
        )),
        _ => None,
    });
    each.collect::<Vec<_>>().into_iter()
}
