//! The projector's configuration: the servers that it uses, and how it batches. Read once, at the start.

use std::time::Duration;

use ess_service::{
    auth::AuthConfig,
    config::{
        ClickHouseConfig, ConfigError, ConfigKey, ConfigSection, KafkaConfig, LoggingConfig,
        ProducerConfig, Section, ShutdownConfig, Source, millis,
    },
    http::{HttpConfig, HttpLimits},
};
use serde::Deserialize;

use crate::memory::MemoryBudget;

const ADDR: [ConfigKey; 2] = HttpConfig::keys("PROJECTOR_ADDR", "127.0.0.1:8002");

/// The projector's whole configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Batching and timeouts.
    pub projector: ProjectorConfig,
    /// Kafka.
    pub kafka: KafkaConfig,
    /// The producer of dead letters.
    pub producer: ProducerConfig,
    /// ClickHouse, which holds the read model.
    pub clickhouse: ClickHouseConfig,
    /// Health and metrics.
    pub http: HttpConfig,
    /// Logging.
    pub log: LoggingConfig,
    /// The drain deadline.
    pub shutdown: ShutdownConfig,
}

/// Batching and timeouts.
#[derive(Debug, Clone, Deserialize)]
pub struct ProjectorConfig {
    /// The name of the consumer groups; generation N has its own group, `<this>-gN`.
    #[serde(rename = "projector_group")]
    pub group: String,
    /// Maximum messages in a batch.
    #[serde(rename = "projector_batch_rows")]
    pub batch_rows: usize,
    /// Maximum resident memory of the process, in MiB (I10).
    #[serde(rename = "projector_memory_mbytes")]
    pub memory_mbytes: usize,
    /// Maximum batches in flight; one more is being filled.
    #[serde(rename = "projector_in_flight")]
    pub in_flight: usize,
    /// Minimum time between two batches while the consumer has caught up.
    #[serde(rename = "projector_flush_ms", deserialize_with = "millis")]
    pub flush: Duration,
    /// Maximum time to fill a batch while the consumer has not caught up.
    #[serde(rename = "projector_max_age_ms", deserialize_with = "millis")]
    pub max_age: Duration,
    /// The timeout of one insert; the insert is retried after it.
    #[serde(rename = "projector_insert_timeout_ms", deserialize_with = "millis")]
    pub insert_timeout: Duration,
    /// The projector is not ready after this time without progress (I11).
    #[serde(rename = "projector_stall_after_ms", deserialize_with = "millis")]
    pub stall_after: Duration,
    /// The timeout of a handover to another generation; projectors return to the active one after it.
    #[serde(rename = "projector_handover_ms", deserialize_with = "millis")]
    pub handover: Duration,
}

impl ProjectorConfig {
    /// The consumer group that writes to `generation`.
    pub fn group_of(&self, generation: u32) -> String {
        format!("{}-g{generation}", self.group)
    }

    /// The consumer group that brings `generation` up to date while another generation is active.
    pub fn replay_group_of(&self, generation: u32) -> String {
        format!("{}-replay", self.group_of(generation))
    }

    /// All consumer groups that may have written to `generation`.
    pub fn groups_of(&self, generation: u32) -> [String; 2] {
        [self.group_of(generation), self.replay_group_of(generation)]
    }

    /// The limits that follow from the configured memory.
    pub(crate) fn memory(&self) -> MemoryBudget {
        MemoryBudget::new(self.memory_mbytes, self.in_flight)
    }
}

impl Section for ProjectorConfig {
    const TITLE: &'static str = "Projection";
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "PROJECTOR_GROUP",
            "ess-projector",
            "1 to 200 of a-z A-Z 0-9 . _ -",
            "prefix of the consumer groups; generation N uses <PROJECTOR_GROUP>-gN",
        ),
        ConfigKey::integer(
            "PROJECTOR_BATCH_ROWS",
            "100000",
            1..=1_000_000,
            "maximum number of messages in a batch",
        ),
        ConfigKey::integer(
            "PROJECTOR_MEMORY_MBYTES",
            "1280",
            128..=1_048_576,
            "maximum memory in MiB, shared by fetched messages, batches and dead letters in flight",
        ),
        ConfigKey::integer(
            "PROJECTOR_IN_FLIGHT",
            "2",
            1..=16,
            "maximum number of batches in flight; they and the batch being filled share the memory",
        ),
        ConfigKey::integer(
            "PROJECTOR_FLUSH_MS",
            "50",
            1..=10_000,
            "minimum time between two inserts when no more messages are waiting, in ms; \
             three times the duration of the last insert, up to 250 ms, if that is longer",
        ),
        ConfigKey::integer(
            "PROJECTOR_MAX_AGE_MS",
            "1000",
            1..=60_000,
            "maximum time to fill a batch, unless PROJECTOR_FLUSH_MS is longer, in ms",
        ),
        ConfigKey::integer(
            "PROJECTOR_INSERT_TIMEOUT_MS",
            "60000",
            100..=3_600_000,
            "timeout of an insert, in ms; then the insert is retried",
        ),
        ConfigKey::integer(
            "PROJECTOR_STALL_AFTER_MS",
            "30000",
            100..=3_600_000,
            "time without progress after which the projector is not ready, in ms",
        ),
        ConfigKey::integer(
            "PROJECTOR_HANDOVER_MS",
            "30000",
            1_000..=600_000,
            "maximum time of a handover to another generation, by `replay` or `promote`, in ms",
        ),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !(1..=200).contains(&self.group.len()) || !self.group.chars().all(is_allowed) {
            let problem = format!("invalid name {:?}", self.group);
            return Err(ConfigError::invalid(Self::KEYS, "PROJECTOR_GROUP", problem));
        }
        Ok(self)
    }
}

impl ess_service::config::Settings for Settings {
    const SERVICE: &'static str = "projector";
    const ABOUT: &'static str =
        "Folds playback events from Kafka into the read model in ClickHouse";
    const SECTIONS: &'static [ConfigSection] = &[
        HttpConfig::section(&ADDR),
        HttpLimits::SECTION,
        AuthConfig::SECTION,
        ProjectorConfig::SECTION,
        KafkaConfig::SECTION,
        ProducerConfig::SECTION,
        ClickHouseConfig::SECTION,
        LoggingConfig::SECTION,
        ShutdownConfig::SECTION,
    ];

    fn read(source: &Source) -> Result<Self, ConfigError> {
        Ok(Self {
            projector: source.section()?,
            kafka: source.section()?,
            producer: source.section()?,
            clickhouse: source.section()?,
            http: HttpConfig::read(source, &ADDR)?,
            log: source.section()?,
            shutdown: source.section()?,
        })
    }
}
