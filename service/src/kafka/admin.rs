//! Creates the topics, and verifies them at every start. It never alters or deletes an existing topic: a wrong layout is
//! an error, because changing it could lose or reorder records.

use std::time::{Duration, Instant};

use rdkafka::{
    admin::{
        AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication,
    },
    client::DefaultClientContext,
    error::{KafkaError, RDKafkaErrorCode},
    metadata::MetadataTopic,
};

use super::client_config;
use crate::{
    config::KafkaConfig,
    retry::{Classify, ErrorClass},
};

/// Timeout of a request to the broker.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// `max.message.bytes` of the dead-letter topic: a record of the events topic must fit with its error headers.
const MAX_DEAD_LETTER_BYTES: &str = "16777216";
/// How long a new topic may be without leaders.
const LEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// The topics cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The broker is unreachable, or rejected a request.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// The broker refused to create or describe a topic.
    #[error("topic {topic}: the broker returned {code}")]
    Refused {
        /// The topic.
        topic: String,
        /// The error code.
        code: RDKafkaErrorCode,
    },
    /// An existing topic differs from the configuration.
    #[error(
        "topic {topic} has {setting} = {found}, but {key} is {configured}; change the configuration, or use a new topic"
    )]
    Mismatch {
        /// The topic.
        topic: String,
        /// The setting that differs.
        setting: &'static str,
        /// Its value in the topic.
        found: String,
        /// Its value in the configuration.
        configured: String,
        /// The configuration key.
        key: &'static str,
    },
    /// A partition of the topic has no leader.
    #[error("topic {topic}: not every partition has a leader after {} s", LEADER_TIMEOUT.as_secs())]
    Leaderless {
        /// The topic.
        topic: String,
    },
}

impl Classify for TopicError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Kafka(error) => error.class(),
            Self::Refused { code, .. } => KafkaError::Global(*code).class(),
            Self::Leaderless { .. } => ErrorClass::Transient,
            Self::Mismatch { .. } => ErrorClass::Permanent,
        }
    }
}

struct Layout<'c> {
    topic: &'c str,
    partitions: u32,
    max_message_bytes: Option<&'static str>,
    kafka: &'c KafkaConfig,
}

/// Creates the topics of events and dead letters if they are missing, and verifies both. Idempotent, also across
/// processes.
///
/// The dead-letter topic has one partition, because dead letters are few and unordered, and retains them forever.
///
/// # Errors
/// An unreachable broker (transient), or an existing topic with another layout (permanent).
pub async fn ensure_topics(kafka: &KafkaConfig) -> Result<(), TopicError> {
    let admin: AdminClient<DefaultClientContext> = client_config(kafka, "ess-init").create()?;
    let forever = KafkaConfig {
        retention_ms: -1,
        ..kafka.clone()
    };
    let events = Layout {
        topic: &kafka.topic,
        partitions: kafka.partitions,
        max_message_bytes: None,
        kafka,
    };
    let dead_letters = Layout {
        topic: &kafka.dead_letter_topic,
        partitions: 1,
        max_message_bytes: Some(MAX_DEAD_LETTER_BYTES),
        kafka: &forever,
    };
    for layout in [events, dead_letters] {
        layout.create(&admin).await?;
        layout.verify_partitions(layout.wait_for_leaders(&admin).await?)?;
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
        let topic = match self.max_message_bytes {
            Some(bytes) => topic.set("max.message.bytes", bytes),
            None => topic,
        };
        let options = AdminOptions::new()
            .request_timeout(Some(REQUEST_TIMEOUT))
            .operation_timeout(Some(REQUEST_TIMEOUT));
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

    /// Waits until every partition has a leader; returns the number of partitions and the smallest number of replicas.
    async fn wait_for_leaders(
        &self,
        admin: &AdminClient<DefaultClientContext>,
    ) -> Result<(usize, usize), TopicError> {
        let start = Instant::now();
        loop {
            // Blocks this thread for one round trip; only `init` runs this. It requests all topics, because requesting one
            // by name may create it.
            let metadata = admin.inner().fetch_metadata(None, REQUEST_TIMEOUT)?;
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
            if start.elapsed() > LEADER_TIMEOUT {
                return Err(TopicError::Leaderless {
                    topic: self.topic.to_owned(),
                });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn verify_partitions(&self, (partitions, replicas): (usize, usize)) -> Result<(), TopicError> {
        self.require_equal(
            "partitions",
            "KAFKA_PARTITIONS",
            &partitions.to_string(),
            &self.partitions.to_string(),
        )?;
        self.require_equal(
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
        let options = AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT));
        let described = admin
            .describe_configs(&[ResourceSpecifier::Topic(self.topic)], &options)
            .await?;
        for resource in described {
            let resource = resource.map_err(|code| TopicError::Refused {
                topic: self.topic.to_owned(),
                code,
            })?;
            let configured = self.kafka.retention_ms.to_string();
            self.require_equal(
                "retention.ms",
                "KAFKA_RETENTION_MS",
                &setting(&resource, "retention.ms"),
                &configured,
            )?;
            let configured = self.kafka.min_insync.to_string();
            self.require_equal(
                "min.insync.replicas",
                "KAFKA_MIN_INSYNC",
                &setting(&resource, "min.insync.replicas"),
                &configured,
            )?;
        }
        Ok(())
    }

    fn require_equal(
        &self,
        setting: &'static str,
        key: &'static str,
        found: &str,
        configured: &str,
    ) -> Result<(), TopicError> {
        if found == configured {
            return Ok(());
        }
        let topic = self.topic.to_owned();
        let (found, configured) = (found.to_owned(), configured.to_owned());
        Err(TopicError::Mismatch {
            topic,
            setting,
            found,
            configured,
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
