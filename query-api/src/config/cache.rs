//! How much is remembered, and for how long.

use std::time::Duration;

use ess_service::config::{ConfigError, ConfigKey, Section, millis};
use serde::Deserialize;

/// The cache of answers.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct CacheConfig {
    /// Bytes of all cached answers together.
    #[serde(rename = "cache_max_bytes")]
    pub(crate) max_bytes: u64,
    /// How long an answer lives that may change at any moment.
    #[serde(rename = "cache_open_ttl_ms", deserialize_with = "millis")]
    pub(crate) open_ttl: Duration,
    /// How long the answer about a settled playback lives.
    #[serde(rename = "cache_settled_ttl_ms", deserialize_with = "millis")]
    pub(crate) settled_ttl: Duration,
}

impl Section for CacheConfig {
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "CACHE_MAX_BYTES",
            "67108864",
            "1048576 to 68719476736",
            "most bytes that cached answers may take",
        ),
        ConfigKey::new(
            "CACHE_OPEN_TTL_MS",
            "1000",
            "0 to 3600000",
            "how long an answer is kept that may change at any moment, in ms",
        ),
        ConfigKey::new(
            "CACHE_SETTLED_TTL_MS",
            "60000",
            "0 to 3600000",
            "how long the answer about a settled playback is kept, in ms",
        ),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        let bytes = 1 << 20..=64 << 30;
        ConfigError::check_range(Self::KEYS, "CACHE_MAX_BYTES", &self.max_bytes, &bytes)?;
        for (key, ttl) in [
            ("CACHE_OPEN_TTL_MS", self.open_ttl),
            ("CACHE_SETTLED_TTL_MS", self.settled_ttl),
        ] {
            ConfigError::check_range(Self::KEYS, key, &ttl.as_millis(), &(0..=3_600_000))?;
        }
        Ok(self)
    }
}
