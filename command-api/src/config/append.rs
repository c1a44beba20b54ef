//! How long an append may take before its outcome is unknown.

use std::time::Duration;

use ess_service::config::{ConfigError, ConfigKey, ProducerConfig, Section, millis};
use serde::Deserialize;

/// The time limit of an append.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AppendConfig {
    /// How long a request waits for its delivery reports.
    #[serde(rename = "append_timeout_ms", deserialize_with = "millis")]
    pub(crate) timeout: Duration,
}

impl AppendConfig {
    /// Checks that a request waits longer than the producer retries. Otherwise a record whose success is reported later would be
    /// unknown.
    pub(super) fn check_outlasts(&self, producer: &ProducerConfig) -> Result<(), ConfigError> {
        if self.timeout > producer.message_timeout {
            return Ok(());
        }
        let (timeout, message_timeout) = (self.timeout, producer.message_timeout);
        let problem =
            format!("{timeout:?} is not more than KAFKA_MESSAGE_TIMEOUT_MS ({message_timeout:?})");
        Err(ConfigError::invalid(
            Self::KEYS,
            "APPEND_TIMEOUT_MS",
            problem,
        ))
    }
}

impl Section for AppendConfig {
    const TITLE: &'static str = "Appends";
    const KEYS: &'static [ConfigKey] = &[ConfigKey::new(
        "APPEND_TIMEOUT_MS",
        "12000",
        "more than KAFKA_MESSAGE_TIMEOUT_MS, at most 600000",
        "how long a request waits for the acknowledgement of Kafka, in ms; then it gets 504: the outcome is unknown",
    )];

    fn checked(self) -> Result<Self, ConfigError> {
        let timeout = self.timeout.as_millis();
        ConfigError::check_range(Self::KEYS, "APPEND_TIMEOUT_MS", &timeout, &(1..=600_000))?;
        Ok(self)
    }
}
