//! Where the log is, how its topics are laid out, and how producers batch.

use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, ConfigKey, Section, millis};

/// The log: brokers, and the layout of its topics (DESIGN, section 3).
#[derive(Debug, Clone, Deserialize)]
pub struct KafkaConfig {
    /// Bootstrap servers, `host:port`, separated by commas.
    #[serde(rename = "kafka_brokers")]
    pub brokers: String,
    /// The topic that is the log.
    #[serde(rename = "kafka_topic")]
    pub topic: String,
    /// Where messages go that cannot become a row.
    #[serde(rename = "kafka_dead_letter_topic", default)]
    pub dead_letter_topic: String,
    /// Partitions of the log; the key → partition mapping hangs on it, so it never changes under a topic's life.
    #[serde(rename = "kafka_partitions")]
    pub partitions: u32,
    /// Replicas of every partition.
    #[serde(rename = "kafka_replication")]
    pub replication: u32,
    /// Replicas that must hold a record before it is acknowledged.
    #[serde(rename = "kafka_min_insync")]
    pub min_insync: u32,
    /// How long the log keeps records, in milliseconds; −1: for ever.
    #[serde(rename = "kafka_retention_ms")]
    pub retention_ms: i64,
}

impl Section for KafkaConfig {
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "KAFKA_BROKERS",
            "127.0.0.1:9092",
            "host:port, more separated by commas",
            "bootstrap servers of the log",
        ),
        ConfigKey::new(
            "KAFKA_TOPIC",
            "playback-events",
            "a topic name",
            "the topic that is the log",
        ),
        ConfigKey::new(
            "KAFKA_DEAD_LETTER_TOPIC",
            "",
            "a topic name",
            "where unreadable messages go; unset: <topic>.dead-letters",
        ),
        ConfigKey::new(
            "KAFKA_PARTITIONS",
            "12",
            "1 to 10000",
            "partitions of the log",
        ),
        ConfigKey::new(
            "KAFKA_REPLICATION",
            "1",
            "1 to 15",
            "replicas of each partition",
        ),
        ConfigKey::new(
            "KAFKA_MIN_INSYNC",
            "1",
            "1 to KAFKA_REPLICATION",
            "replicas that must hold a record before its acknowledgement",
        ),
        ConfigKey::new(
            "KAFKA_RETENTION_MS",
            "-1",
            "-1 (for ever) or at least 60000",
            "how long the log keeps its records, in ms",
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
        ConfigError::check_range(keys, "KAFKA_PARTITIONS", &self.partitions, &(1..=10_000))?;
        ConfigError::check_range(keys, "KAFKA_REPLICATION", &self.replication, &(1..=15))?;
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

/// Kafka's own rule for topic names (org.apache.kafka.common.internals.Topic): at most 249 of `[a-zA-Z0-9._-]`.
fn check_topic_name(key: &str, name: &str) -> Result<(), ConfigError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=249).contains(&name.len()) && name.chars().all(legal) && !matches!(name, "." | "..") {
        return Ok(());
    }
    Err(ConfigError::invalid(
        KafkaConfig::KEYS,
        key,
        format!("{name:?} is not a name Kafka accepts"),
    ))
}

/// How a producer batches, and how much may wait in it.
#[derive(Debug, Clone, Deserialize)]
pub struct ProducerConfig {
    /// How long a batch may wait for company.
    #[serde(rename = "kafka_linger_ms", deserialize_with = "millis")]
    pub linger: Duration,
    /// How long the client keeps trying before it reports a record as not delivered.
    #[serde(rename = "kafka_message_timeout_ms", deserialize_with = "millis")]
    pub message_timeout: Duration,
    /// Largest batch, bytes.
    #[serde(rename = "kafka_batch_bytes")]
    pub batch_bytes: u32,
    /// Most records that may wait in the client; beyond it sends are refused at once.
    #[serde(rename = "kafka_queue_messages")]
    pub queue_messages: u32,
    /// Most KiB that may wait in the client; beyond it sends are refused at once.
    #[serde(rename = "kafka_queue_kbytes")]
    pub queue_kbytes: u32,
}

impl Section for ProducerConfig {
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "KAFKA_LINGER_MS",
            "2",
            "0 to 1000",
            "how long a batch may wait for company, in ms",
        ),
        ConfigKey::new(
            "KAFKA_MESSAGE_TIMEOUT_MS",
            "10000",
            "1000 to 300000",
            "how long an append is tried before it is given up, in ms",
        ),
        ConfigKey::new(
            "KAFKA_BATCH_BYTES",
            "131072",
            "1024 to 1000000",
            "largest batch sent to one partition, in bytes",
        ),
        ConfigKey::new(
            "KAFKA_QUEUE_MESSAGES",
            "100000",
            "1 to 10000000",
            "most records waiting in the client; beyond it appends are refused",
        ),
        ConfigKey::new(
            "KAFKA_QUEUE_KBYTES",
            "262144",
            "64 to 2097151",
            "most KiB waiting in the client; beyond it appends are refused",
        ),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        let keys = Self::KEYS;
        ConfigError::check_range(
            keys,
            "KAFKA_LINGER_MS",
            &self.linger.as_millis(),
            &(0..=1000),
        )?;
        ConfigError::check_range(
            keys,
            "KAFKA_MESSAGE_TIMEOUT_MS",
            &self.message_timeout.as_millis(),
            &(1_000..=300_000),
        )?;
        ConfigError::check_range(
            keys,
            "KAFKA_BATCH_BYTES",
            &self.batch_bytes,
            &(1024..=1_000_000),
        )?;
        ConfigError::check_range(
            keys,
            "KAFKA_QUEUE_MESSAGES",
            &self.queue_messages,
            &(1..=10_000_000),
        )?;
        ConfigError::check_range(
            keys,
            "KAFKA_QUEUE_KBYTES",
            &self.queue_kbytes,
            &(64..=2_097_151),
        )?;
        Ok(self)
    }
}
