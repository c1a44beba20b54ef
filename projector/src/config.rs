//! What the projector can be told: the parts it works on, and how it batches. Read once, at the start.

use std::time::Duration;

use ess_service::config::{
    AuthConfig, ClickHouseConfig, ConfigError, ConfigKey, HttpConfig, HttpLimits, KafkaConfig,
    LoggingConfig, ProducerConfig, Section, ShutdownConfig, Source, millis,
};
use serde::Deserialize;

use crate::memory::Memory;

const ADDR: [ConfigKey; 2] = HttpConfig::keys("PROJECTOR_ADDR", "127.0.0.1:8002");

/// The projector's whole configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Batching and patience.
    pub projector: ProjectorConfig,
    /// The log.
    pub kafka: KafkaConfig,
    /// How dead letters are appended.
    pub producer: ProducerConfig,
    /// The read model.
    pub clickhouse: ClickHouseConfig,
    /// Health and metrics.
    pub http: HttpConfig,
    /// Logging.
    pub log: LoggingConfig,
    /// The drain deadline.
    pub shutdown: ShutdownConfig,
}

/// How the projector batches, and how patient it is.
#[derive(Debug, Clone, Deserialize)]
pub struct ProjectorConfig {
    /// The consumer groups' name; generation N has its own group, `<this>-gN`.
    #[serde(rename = "projector_group")]
    pub group: String,
    /// Most messages in a batch.
    #[serde(rename = "projector_batch_rows")]
    pub batch_rows: usize,
    /// Most MiB that the process may have resident (I10).
    #[serde(rename = "projector_memory_mbytes")]
    pub memory_mbytes: usize,
    /// Most batches being stored at a time; one more is being filled.
    #[serde(rename = "projector_in_flight")]
    pub in_flight: usize,
    /// Least time between two batches while the log runs dry.
    #[serde(rename = "projector_flush_ms", deserialize_with = "millis")]
    pub flush: Duration,
    /// Longest time a batch is filled while the log does not run dry.
    #[serde(rename = "projector_max_age_ms", deserialize_with = "millis")]
    pub max_age: Duration,
    /// How long ClickHouse may take over one insert before it is tried again.
    #[serde(rename = "projector_insert_timeout_ms", deserialize_with = "millis")]
    pub insert_timeout: Duration,
    /// Without progress for this long the projector is not ready (I11).
    #[serde(rename = "projector_stall_after_ms", deserialize_with = "millis")]
    pub stall_after: Duration,
    /// How long a handover to another generation may take before projectors go back to the active one.
    #[serde(rename = "projector_handover_ms", deserialize_with = "millis")]
    pub handover: Duration,
}

impl ProjectorConfig {
    /// The consumer group that folds the log into `generation`.
    pub fn group_of(&self, generation: u32) -> String {
        format!("{}-g{generation}", self.group)
    }

    /// The consumer group that brings `generation` up to date while another one is active.
    pub fn replay_group_of(&self, generation: u32) -> String {
        format!("{}-replay", self.group_of(generation))
    }

    /// Every consumer group that may have folded into `generation`.
    pub fn groups_of(&self, generation: u32) -> [String; 2] {
        [self.group_of(generation), self.replay_group_of(generation)]
    }

    /// How the memory is shared out.
    pub(crate) fn memory(&self) -> Memory {
        Memory::new(self.memory_mbytes, self.in_flight)
    }
}

impl Section for ProjectorConfig {
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "PROJECTOR_GROUP",
            "ess-projector",
            "1 to 200 of a-z A-Z 0-9 . _ -",
            "consumer group; generation N uses <this>-gN",
        ),
        ConfigKey::new(
            "PROJECTOR_BATCH_ROWS",
            "100000",
            "1 to 1000000",
            "most messages inserted at once",
        ),
        ConfigKey::new(
            "PROJECTOR_MEMORY_MBYTES",
            "1280",
            "128 to 1048576",
            "most memory in MiB; batches and what is fetched ahead share it",
        ),
        ConfigKey::new(
            "PROJECTOR_IN_FLIGHT",
            "2",
            "1 to 16",
            "batches being stored at a time; with one being filled they share the memory",
        ),
        ConfigKey::new(
            "PROJECTOR_FLUSH_MS",
            "50",
            "1 to 10000",
            "least time between two inserts when the log runs dry, in ms; longer, up to 250, while they take long",
        ),
        ConfigKey::new(
            "PROJECTOR_MAX_AGE_MS",
            "1000",
            "1 to 60000",
            "longest time a batch is filled, unless PROJECTOR_FLUSH_MS is longer, in ms",
        ),
        ConfigKey::new(
            "PROJECTOR_INSERT_TIMEOUT_MS",
            "60000",
            "100 to 3600000",
            "how long one insert may take before it is tried again, in ms",
        ),
        ConfigKey::new(
            "PROJECTOR_STALL_AFTER_MS",
            "30000",
            "100 to 3600000",
            "time without progress after which the projector is not ready, in ms",
        ),
        ConfigKey::new(
            "PROJECTOR_HANDOVER_MS",
            "30000",
            "1000 to 600000",
            "how long `replay` and `promote` let a handover to another generation take, in ms",
        ),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !(1..=200).contains(&self.group.len()) || !self.group.chars().all(legal) {
            let problem = format!("{:?} is no such name", self.group);
            return Err(ConfigError::invalid(Self::KEYS, "PROJECTOR_GROUP", problem));
        }
        let range = |key, value: u64, from: u64, to: u64| {
            ConfigError::check_range(Self::KEYS, key, &value, &(from..=to))
        };
        range("PROJECTOR_BATCH_ROWS", self.batch_rows as u64, 1, 1_000_000)?;
        range(
            "PROJECTOR_MEMORY_MBYTES",
            self.memory_mbytes as u64,
            128,
            1_048_576,
        )?;
        range("PROJECTOR_IN_FLIGHT", self.in_flight as u64, 1, 16)?;
        let range = |key, value: Duration, from, to| range(key, value.as_millis() as u64, from, to);
        range("PROJECTOR_FLUSH_MS", self.flush, 1, 10_000)?;
        range("PROJECTOR_MAX_AGE_MS", self.max_age, 1, 60_000)?;
        range(
            "PROJECTOR_INSERT_TIMEOUT_MS",
            self.insert_timeout,
            100,
            3_600_000,
        )?;
        range("PROJECTOR_STALL_AFTER_MS", self.stall_after, 100, 3_600_000)?;
        range("PROJECTOR_HANDOVER_MS", self.handover, 1_000, 600_000)?;
        Ok(self)
    }
}

impl ess_service::config::Settings for Settings {
    const SERVICE: &'static str = "projector";
    const ABOUT: &'static str = "Folds the log of playback events into the read model";
    const KNOWN_KEYS: &'static [&'static [ConfigKey]] = &[
        &ADDR,
        HttpLimits::KEYS,
        AuthConfig::KEYS,
        ProjectorConfig::KEYS,
        KafkaConfig::KEYS,
        ProducerConfig::KEYS,
        ClickHouseConfig::KEYS,
        LoggingConfig::KEYS,
        ShutdownConfig::KEYS,
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
