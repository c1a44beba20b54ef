//! The topics of the log, created once and verified at every start. It never alters or deletes a topic that exists: a wrong
//! layout is told, because repairing it could lose or reorder records.

use std::time::{Duration, Instant};

use rdkafka::{
    admin::{
        AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication,
    },
    client::DefaultClientContext,
    error::RDKafkaErrorCode,
    metadata::MetadataTopic,
};

use super::{TopicError, client_config};
use crate::config::KafkaConfig;

/// One request to the broker may take this long.
const REQUEST: Duration = Duration::from_secs(10);
/// The longest dead letter, bytes: whatever fitted into the log must fit beside the headers that say why it died.
const LONGEST_DEAD_LETTER: &str = "16777216";
/// A topic just created must have its leaders within this.
pub(super) const SETTLE: Duration = Duration::from_secs(30);

struct Layout<'c> {
    topic: &'c str,
    partitions: u32,
    longest: Option<&'static str>,
    kafka: &'c KafkaConfig,
}

/// Creates the log and its dead-letter topic where they are missing, and verifies both. Safe to run any number of times,
/// from several processes at once.
///
/// Dead letters are few and need no order among them, so their topic has one partition; they are kept for ever.
///
/// # Errors
/// A broker that cannot be reached (transient), or a topic that exists with another layout (permanent).
pub async fn ensure_topics(kafka: &KafkaConfig) -> Result<(), TopicError> {
    let admin: AdminClient<DefaultClientContext> = client_config(kafka, "ess-init").create()?;
    let forever = KafkaConfig {
        retention_ms: -1,
        ..kafka.clone()
    };
    let log = Layout {
        topic: &kafka.topic,
        partitions: kafka.partitions,
        longest: None,
        kafka,
    };
    let dead_letters = Layout {
        topic: &kafka.dead_letter_topic,
        partitions: 1,
        longest: Some(LONGEST_DEAD_LETTER),
        kafka: &forever,
    };
    for layout in [log, dead_letters] {
        layout.create(&admin).await?;
        layout.verify_partitions(&layout.settled(&admin).await?)?;
        layout.verify_settings(&admin).await?;
    }
    Ok(())
}

impl Layout<'_> {
    async fn create(&self, admin: &AdminClient<DefaultClientContext>) -> Result<(), TopicError> {
        let (retention, min_insync) = (
            self.kafka.retention_ms.to_string(),
            self.kafka.min_insync.to_string(),
        );
        let replication =
            TopicReplication::Fixed(i32::try_from(self.kafka.replication).unwrap_or(i32::MAX));
        let topic = NewTopic::new(
            self.topic,
            i32::try_from(self.partitions).unwrap_or(i32::MAX),
            replication,
        )
        .set("retention.ms", &retention)
        .set("min.insync.replicas", &min_insync);
        let topic = match self.longest {
            Some(bytes) => topic.set("max.message.bytes", bytes),
            None => topic,
        };
        let options = AdminOptions::new()
            .request_timeout(Some(REQUEST))
            .operation_timeout(Some(REQUEST));
        for created in admin.create_topics([&topic], &options).await? {
            match created {
                Ok(_) => tracing::info!(
                    topic = self.topic,
                    partitions = self.partitions,
                    "topic {} created",
                    self.topic
                ),
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(TopicError::Refused { topic, code }),
            }
        }
        Ok(())
    }

    /// The number of partitions and the smallest number of replicas, once every partition has a leader.
    async fn settled(
        &self,
        admin: &AdminClient<DefaultClientContext>,
    ) -> Result<(usize, usize), TopicError> {
        let start = Instant::now();
        loop {
            // Blocks this thread for one round trip; only an init step runs this. All topics are asked for, because asking
            // for one by name may create it.
            let metadata = admin.inner().fetch_metadata(None, REQUEST)?;
            let found = metadata
                .topics()
                .iter()
                .find(|topic| topic.name() == self.topic)
                .filter(|topic| has_leaders(topic));
            if let Some(topic) = found {
                let replicas = topic
                    .partitions()
                    .iter()
                    .map(|partition| partition.replicas().len())
                    .min();
                return Ok((topic.partitions().len(), replicas.unwrap_or_default()));
            }
            if start.elapsed() > SETTLE {
                return Err(TopicError::Leaderless {
                    topic: self.topic.to_owned(),
                });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn verify_partitions(&self, (partitions, replicas): &(usize, usize)) -> Result<(), TopicError> {
        self.same(
            "partitions",
            "KAFKA_PARTITIONS",
            &partitions.to_string(),
            &self.partitions.to_string(),
        )?;
        self.same(
            "replication",
            "KAFKA_REPLICATION",
            &replicas.to_string(),
            &self.kafka.replication.to_string(),
        )
    }

    async fn verify_settings(
        &self,
        admin: &AdminClient<DefaultClientContext>,
    ) -> Result<(), TopicError> {
        let options = AdminOptions::new().request_timeout(Some(REQUEST));
        let described = admin
            .describe_configs(&[ResourceSpecifier::Topic(self.topic)], &options)
            .await?;
        for resource in described {
            let resource = resource.map_err(|code| TopicError::Refused {
                topic: self.topic.to_owned(),
                code,
            })?;
            let wanted = self.kafka.retention_ms.to_string();
            self.same(
                "retention.ms",
                "KAFKA_RETENTION_MS",
                &setting(&resource, "retention.ms"),
                &wanted,
            )?;
            let wanted = self.kafka.min_insync.to_string();
            self.same(
                "min.insync.replicas",
                "KAFKA_MIN_INSYNC",
                &setting(&resource, "min.insync.replicas"),
                &wanted,
            )?;
        }
        Ok(())
    }

    fn same(
        &self,
        setting: &'static str,
        key: &'static str,
        found: &str,
        wanted: &str,
    ) -> Result<(), TopicError> {
        if found == wanted {
            return Ok(());
        }
        let (topic, found, wanted) = (self.topic.to_owned(), found.to_owned(), wanted.to_owned());
        Err(TopicError::Mismatch {
            topic,
            setting,
            found,
            wanted,
            key,
        })
    }
}

fn has_leaders(topic: &MetadataTopic) -> bool {
    !topic.partitions().is_empty()
        && topic
            .partitions()
            .iter()
            .all(|partition| partition.leader() >= 0)
}

fn setting(resource: &ConfigResource, name: &str) -> String {
    resource
        .get(name)
        .and_then(|entry| entry.value.clone())
        .unwrap_or_default()
}
