//! How long a reader may wait for its own writes.

use std::time::Duration;

use ess_service::config::{ConfigError, ConfigKey, Section, millis};
use serde::Deserialize;

/// The bound of `?after=`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AfterConfig {
    /// The longest wait before a 503.
    #[serde(rename = "after_max_wait_ms", deserialize_with = "millis")]
    pub(crate) max_wait: Duration,
}

impl Section for AfterConfig {
    const KEYS: &'static [ConfigKey] = &[ConfigKey::new(
        "AFTER_MAX_WAIT_MS",
        "5000",
        "0 to 60000",
        "how long ?after= waits for a position to be projected, in ms",
    )];

    fn checked(self) -> Result<Self, ConfigError> {
        let wait = self.max_wait.as_millis();
        ConfigError::check_range(Self::KEYS, "AFTER_MAX_WAIT_MS", &wait, &(0..=60_000))?;
        Ok(self)
    }
}
