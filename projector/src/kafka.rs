//! What commands query from Kafka: where partitions begin and end, and who is in a consumer group. It must never consume a
//! record.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use ess_service::{
    config::KafkaConfig,
    kafka::{client_config, consumer_config},
};
use rdkafka::{
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    metadata::MetadataTopic,
};
use tokio::task::{JoinError, spawn_blocking};

const CLIENT_ID: &str = "ess-projector-admin";
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The first and the next offset of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartitionBounds {
    /// The low watermark: the offset of the first record that Kafka still has.
    pub(crate) low: u64,
    /// The high watermark: the offset of the next record.
    pub(crate) high: u64,
}

impl PartitionBounds {
    /// From librdkafka's watermarks, which are negative where they are unknown.
    pub(crate) fn new((low, high): (i64, i64)) -> Self {
        let [low, high] = [low, high].map(|offset| u64::try_from(offset).unwrap_or_default());
        Self { low, high }
    }
}

/// A query to Kafka failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KafkaQueryError {
    #[error("Kafka does not answer: {0}")]
    Kafka(#[from] KafkaError),
    #[error("topic {0} does not exist; `projector init` creates it")]
    NoTopic(String),
    #[error("the task that queries Kafka ended: {0}")]
    Task(#[from] JoinError),
}

/// The current bounds of each partition.
pub(crate) async fn bounds(
    kafka: &KafkaConfig,
) -> Result<BTreeMap<u16, PartitionBounds>, KafkaQueryError> {
    let kafka = kafka.clone();
    spawn_blocking(move || fetch_bounds(&kafka)).await?
}

fn fetch_bounds(kafka: &KafkaConfig) -> Result<BTreeMap<u16, PartitionBounds>, KafkaQueryError> {
    let consumer: BaseConsumer = consumer_config(kafka, CLIENT_ID, CLIENT_ID).create()?;
    let metadata = consumer.fetch_metadata(Some(&kafka.topic), REQUEST_TIMEOUT)?;
    let topic = metadata.topics().first();
    let partitions = topic.map(MetadataTopic::partitions).unwrap_or_default();
    if partitions.is_empty() {
        return Err(KafkaQueryError::NoTopic(kafka.topic.clone()));
    }
    let each = partitions.iter().map(|partition| {
        let id = partition.id();
        let watermarks = consumer.fetch_watermarks(&kafka.topic, id, REQUEST_TIMEOUT)?;
        Ok((id as u16, PartitionBounds::new(watermarks)))
    });
    each.collect()
}

/// The offsets of each partition that a generation still needs and that Kafka has deleted: from the projected offset to the
/// low watermark.
pub(crate) fn deleted(
    bounds: &BTreeMap<u16, PartitionBounds>,
    projected: &BTreeMap<u16, u64>,
) -> Vec<(u16, Range<u64>)> {
    let each = bounds
        .iter()
        .map(|(partition, PartitionBounds { low, .. })| {
            let from = projected.get(partition).copied().unwrap_or_default();
            (*partition, from..*low)
        });
    each.filter(|(_, deleted)| !deleted.is_empty()).collect()
}

/// The members of a consumer group.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Membership {
    pub(crate) members: usize,
    is_stable: bool,
}

impl Membership {
    /// Whether the partitions are assigned and no rebalance is under way.
    pub(crate) fn is_assigned(self) -> bool {
        self.members > 0 && self.is_stable
    }
}

/// The current members of a consumer group; no members when the group does not exist.
pub(crate) async fn membership(
    kafka: &KafkaConfig,
    group: &str,
) -> Result<Membership, KafkaQueryError> {
    let (kafka, group) = (kafka.clone(), group.to_owned());
    let query = spawn_blocking(move || {
        let consumer: BaseConsumer = client_config(&kafka, CLIENT_ID).create()?;
        let groups = consumer.fetch_group_list(Some(&group), REQUEST_TIMEOUT)?;
        let found = groups.groups().iter().find(|known| known.name() == group);
        Ok(found.map_or_else(Membership::default, |found| Membership {
            members: found.members().len(),
            is_stable: found.state() == "Stable",
        }))
    });
    query.await?
}

/// Deletes a consumer group with its offsets; a group that does not exist is no error.
pub(crate) async fn delete_group(kafka: &KafkaConfig, group: &str) -> Result<(), KafkaQueryError> {
    let admin: AdminClient<DefaultClientContext> = client_config(kafka, CLIENT_ID).create()?;
    let options = AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT));
    for result in admin.delete_groups(&[group], &options).await? {
        if let Err((group, code)) = result {
            tracing::debug!("consumer group {group} was not deleted: {code}");
        }
    }
    Ok(())
}
