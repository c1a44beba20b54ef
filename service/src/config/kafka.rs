//! The Kafka brokers, the layout of the topics, and how producers batch.

use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, ConfigKey, Section, millis};

/// The brokers and the layout of the topics.
#[derive(Debug, Clone, Deserialize)]
pub struct KafkaConfig {
    /// Bootstrap servers, `host:port`, separated by commas.
    #[serde(rename = "kafka_brokers")]
    pub brokers: String,
    /// The topic of the events.
    #[serde(rename = "kafka_topic")]
    pub topic: String,
    /// The topic of the dead letters.
    #[serde(rename = "kafka_dead_letter_topic", default)]
    pub dead_letter_topic: String,
    /// Partitions of the events' topic. It never changes: keys are mapped to partitions by it.
    #[serde(rename = "kafka_partitions")]
    pub partitions: u32,
    /// Replicas per partition.
    #[serde(rename = "kafka_replication")]
    pub replication: u32,
    /// Replicas that must hold a record before it is acknowledged.
    #[serde(rename = "kafka_min_insync")]
    pub min_insync: u32,
    /// How long Kafka retains events, in ms; −1: forever.
    #[serde(rename = "kafka_retention_ms")]
    pub retention_ms: i64,
}

impl Section for KafkaConfig {
    const TITLE: &'static str = "Kafka";
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "KAFKA_BROKERS",
            "127.0.0.1:9092",
            "host:port, several separated by commas",
            "bootstrap servers",
        ),
        ConfigKey::new(
            "KAFKA_TOPIC",
            "playback-events",
            "a topic name",
            "topic of the events",
        ),
        ConfigKey::new(
            "KAFKA_DEAD_LETTER_TOPIC",
            "",
            "a topic name",
            "topic of the dead letters; unset: <KAFKA_TOPIC>.dead-letters",
        ),
        ConfigKey::integer(
            "KAFKA_PARTITIONS",
            "12",
            1..=10_000,
            "partitions of KAFKA_TOPIC; must match a topic that exists",
        ),
        ConfigKey::integer(
            "KAFKA_REPLICATION",
            "1",
            1..=15,
            "replication factor of both topics; must match a topic that exists",
        ),
        ConfigKey::new(
            "KAFKA_MIN_INSYNC",
            "1",
            "1 to KAFKA_REPLICATION",
            "min.insync.replicas of both topics; must match a topic that exists",
        ),
        ConfigKey::new(
            "KAFKA_RETENTION_MS",
            "-1",
            "-1 (forever) or at least 60000",
            "retention.ms of KAFKA_TOPIC; must match a topic that exists",
        ),
    ];

    fn checked(mut self) -> Result<Self, ConfigError> {
        let keys = Self::KEYS;
        if self.brokers.split(',').any(|broker| {
            broker
                .trim()
                .rsplit_once(':')
                .is_none_or(|(_, port)| port.parse::<u16>().is_err())
        }) {
            return Err(ConfigError::invalid(
                keys,
                "KAFKA_BROKERS",
                format!("{:?} is not a list of brokers", self.brokers),
            ));
        }
        if self.dead_letter_topic.is_empty() {
            self.dead_letter_topic = format!("{}.dead-letters", self.topic);
        }
        check_topic_name("KAFKA_TOPIC", &self.topic)?;
        check_topic_name("KAFKA_DEAD_LETTER_TOPIC", &self.dead_letter_topic)?;
        ConfigError::check_range(
            keys,
            "KAFKA_MIN_INSYNC",
            &self.min_insync,
            &(1..=self.replication),
        )?;
        if self.retention_ms != -1 {
            ConfigError::check_range(
                keys,
                "KAFKA_RETENTION_MS",
                &self.retention_ms,
                &(60_000..=i64::MAX),
            )?;
        }
        Ok(self)
    }
}

/// The rule of Kafka for topic names (org.apache.kafka.common.internals.Topic): at most 249 of `[a-zA-Z0-9._-]`.
fn check_topic_name(key: &str, name: &str) -> Result<(), ConfigError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=249).contains(&name.len()) && name.chars().all(legal) && !matches!(name, "." | "..") {
        return Ok(());
    }
    Err(ConfigError::invalid(
        KafkaConfig::KEYS,
        key,
        format!("{name:?} is not a valid topic name"),
    ))
}

/// How a producer batches, and how many records it may queue.
#[derive(Debug, Clone, Deserialize)]
pub struct ProducerConfig {
    /// `linger.ms`: how long the producer waits to fill a batch.
    #[serde(rename = "kafka_linger_ms", deserialize_with = "millis")]
    pub linger: Duration,
    /// `message.timeout.ms`: how long the producer retries before it reports a record as not delivered.
    #[serde(rename = "kafka_message_timeout_ms", deserialize_with = "millis")]
    pub message_timeout: Duration,
    /// `batch.size`, bytes.
    #[serde(rename = "kafka_batch_bytes")]
    pub batch_bytes: u32,
    /// `queue.buffering.max.messages`; the producer refuses further records.
    #[serde(rename = "kafka_queue_messages")]
    pub queue_messages: u32,
    /// `queue.buffering.max.kbytes`, KiB; the producer refuses further records.
    #[serde(rename = "kafka_queue_kbytes")]
    pub queue_kbytes: u32,
}

impl Section for ProducerConfig {
    const TITLE: &'static str = "Kafka producer";
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::integer(
            "KAFKA_LINGER_MS",
            "2",
            0..=1_000,
            "linger.ms: how long the producer waits to fill a batch",
        ),
        ConfigKey::integer(
            "KAFKA_MESSAGE_TIMEOUT_MS",
            "10000",
            1_000..=300_000,
            "message.timeout.ms: how long the producer retries an append before it fails",
        ),
        ConfigKey::integer(
            "KAFKA_BATCH_BYTES",
            "131072",
            1_024..=1_000_000,
            "batch.size: maximum size of a batch for one partition, in bytes",
        ),
        ConfigKey::integer(
            "KAFKA_QUEUE_MESSAGES",
            "100000",
            1..=10_000_000,
            "queue.buffering.max.messages: maximum number of records queued in the producer; further appends are refused",
        ),
        ConfigKey::integer(
            "KAFKA_QUEUE_KBYTES",
            "262144",
            64..=2_097_151,
            "queue.buffering.max.kbytes: maximum size of the producer's queue, in KiB; further appends are refused",
        ),
    ];
}
