//! The size of the cache, and the lifetime of answers.

use std::time::Duration;

use ess_service::config::{ConfigKey, Section, millis};
use serde::Deserialize;

/// The cache of answers.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct CacheConfig {
    /// The maximum bytes of all cached answers.
    #[serde(rename = "cache_max_bytes")]
    pub(crate) max_bytes: u64,
    /// The lifetime of an answer that can still change.
    #[serde(rename = "cache_open_ttl_ms", deserialize_with = "millis")]
    pub(crate) open_ttl: Duration,
    /// The lifetime of an answer about a settled playback.
    #[serde(rename = "cache_settled_ttl_ms", deserialize_with = "millis")]
    pub(crate) settled_ttl: Duration,
}

impl Section for CacheConfig {
    const TITLE: &'static str = "Cache";
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::integer(
            "CACHE_MAX_BYTES",
            "67108864",
            1_048_576..=68_719_476_736,
            "maximum size of the cached answers, in bytes",
        ),
        ConfigKey::integer(
            "CACHE_OPEN_TTL_MS",
            "1000",
            0..=3_600_000,
            "time to live of answers that can still change, in ms",
        ),
        ConfigKey::integer(
            "CACHE_SETTLED_TTL_MS",
            "60000",
            0..=3_600_000,
            "time to live of answers about settled playbacks, in ms",
        ),
    ];
}
