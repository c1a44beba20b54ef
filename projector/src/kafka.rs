//! The log as an operator's command asks about it: where its partitions begin and end, and who consumes it. It never reads a
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

use crate::status::Bounds;

const CLIENT: &str = "ess-projector-asks";
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// The log cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("the log does not answer: {0}")]
    Kafka(#[from] KafkaError),
    #[error("topic {0} does not exist; `projector init` creates it")]
    NoTopic(String),
    #[error("asking the log ended: {0}")]
    Task(#[from] JoinError),
}

/// Where each partition of the log begins and ends now.
pub(crate) async fn bounds(kafka: &KafkaConfig) -> Result<BTreeMap<u16, Bounds>, LogError> {
    let kafka = kafka.clone();
    spawn_blocking(move || look(&kafka)).await?
}

fn look(kafka: &KafkaConfig) -> Result<BTreeMap<u16, Bounds>, LogError> {
    let asking: BaseConsumer = consumer_config(kafka, CLIENT, CLIENT).create()?;
    let metadata = asking.fetch_metadata(Some(&kafka.topic), ANSWERS_WITHIN)?;
    let found = metadata.topics().first();
    let partitions = found.map(MetadataTopic::partitions).unwrap_or_default();
    if partitions.is_empty() {
        return Err(LogError::NoTopic(kafka.topic.clone()));
    }
    let mut bounds = BTreeMap::new();
    for partition in partitions {
        let (low, high) = asking.fetch_watermarks(&kafka.topic, partition.id(), ANSWERS_WITHIN)?;
        let (low, high) = (low.max(0) as u64, high.max(0) as u64);
        bounds.insert(partition.id() as u16, Bounds { low, high });
    }
    Ok(bounds)
}

/// Of each partition, what lies below its first record now and above what is held.
pub(crate) fn lost(
    bounds: &BTreeMap<u16, Bounds>,
    held: &BTreeMap<u16, u64>,
) -> Vec<(u16, Range<u64>)> {
    let each = bounds.iter().map(|(partition, Bounds { low, .. })| {
        let from = held.get(partition).copied().unwrap_or_default();
        (*partition, from..*low)
    });
    each.filter(|(_, lost)| !lost.is_empty()).collect()
}

/// Who is in a consumer group now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Membership {
    pub(crate) members: usize,
    /// Whether the partitions are given out, and nobody is joining or leaving.
    is_stable: bool,
}

impl Membership {
    /// Whether its members have the partitions.
    pub(crate) fn works(self) -> bool {
        self.members > 0 && self.is_stable
    }
}

/// Who is in a consumer group now; nobody, when there is no such group.
pub(crate) async fn membership(kafka: &KafkaConfig, group: &str) -> Result<Membership, LogError> {
    let (kafka, group) = (kafka.clone(), group.to_owned());
    let asked = spawn_blocking(move || {
        let asking: BaseConsumer = client_config(&kafka, CLIENT).create()?;
        let list = asking.fetch_group_list(Some(&group), ANSWERS_WITHIN)?;
        let named = list.groups().iter().find(|known| known.name() == group);
        Ok(named.map_or_else(Membership::default, |known| Membership {
            members: known.members().len(),
            is_stable: known.state() == "Stable",
        }))
    });
    asked.await?
}

/// Removes a consumer group with its offsets; one that is not there is no error.
pub(crate) async fn delete_group(kafka: &KafkaConfig, group: &str) -> Result<(), LogError> {
    let admin: AdminClient<DefaultClientContext> = client_config(kafka, CLIENT).create()?;
    let options = AdminOptions::new().request_timeout(Some(ANSWERS_WITHIN));
    for deleted in admin.delete_groups(&[group], &options).await? {
        if let Err((group, code)) = deleted {
            tracing::debug!("consumer group {group} was not removed: {code}");
        }
    }
    Ok(())
}
