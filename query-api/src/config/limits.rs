//! What one question may cost, and how many may be asked at once.

use std::time::Duration;

use ess_service::config::{ConfigError, ConfigKey, Section, millis};
use serde::Deserialize;

/// The limits of each query, as ClickHouse enforces them, and of all queries together.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LimitsConfig {
    /// `max_execution_time`.
    #[serde(rename = "query_max_time_ms", deserialize_with = "millis")]
    pub(crate) time: Duration,
    /// `max_memory_usage`.
    #[serde(rename = "query_max_memory_bytes")]
    pub(crate) memory_bytes: u64,
    /// `max_rows_to_read`.
    #[serde(rename = "query_max_rows_read")]
    pub(crate) rows_read: u64,
    /// `max_bytes_to_read`.
    #[serde(rename = "query_max_bytes_read")]
    pub(crate) bytes_read: u64,
    /// Light queries, whose cost callers cannot raise, running at the same time.
    #[serde(rename = "query_concurrency")]
    pub(crate) concurrency: usize,
    /// Light queries waiting for their turn, and playbacks waiting for a query; more are refused.
    #[serde(rename = "query_queue")]
    pub(crate) queue: usize,
    /// Heavy queries, which callers can make cost any amount, running at the same time.
    #[serde(rename = "query_heavy_concurrency")]
    pub(crate) heavy_concurrency: usize,
    /// Heavy queries waiting for their turn; more are refused.
    #[serde(rename = "query_heavy_queue")]
    pub(crate) heavy_queue: usize,
}

impl Section for LimitsConfig {
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "QUERY_MAX_TIME_MS",
            "10000",
            "10 to 600000",
            "how long one query may run, in ms",
        ),
        ConfigKey::new(
            "QUERY_MAX_MEMORY_BYTES",
            "1073741824",
            "1048576 to 1099511627776",
            "memory one query may take in ClickHouse",
        ),
        ConfigKey::new(
            "QUERY_MAX_ROWS_READ",
            "1000000000",
            "1 to 1000000000000",
            "rows one query may read",
        ),
        ConfigKey::new(
            "QUERY_MAX_BYTES_READ",
            "107374182400",
            "1 to 1000000000000000",
            "uncompressed bytes one query may read",
        ),
        ConfigKey::new(
            "QUERY_CONCURRENCY",
            "32",
            "1 to 1000",
            "light queries (by id) running at the same time",
        ),
        ConfigKey::new(
            "QUERY_QUEUE",
            "1024",
            "0 to 100000",
            "light queries waiting for their turn; more are refused with 503",
        ),
        ConfigKey::new(
            "QUERY_HEAVY_CONCURRENCY",
            "8",
            "1 to 1000",
            "heavy queries (lists and the like) running at the same time",
        ),
        ConfigKey::new(
            "QUERY_HEAVY_QUEUE",
            "256",
            "0 to 100000",
            "heavy queries waiting for their turn; more are refused with 503",
        ),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        let range = |key, value: u64, from: u64, to: u64| {
            ConfigError::check_range(Self::KEYS, key, &value, &(from..=to))
        };
        range(
            "QUERY_MAX_TIME_MS",
            self.time.as_millis() as u64,
            10,
            600_000,
        )?;
        range(
            "QUERY_MAX_MEMORY_BYTES",
            self.memory_bytes,
            1 << 20,
            1 << 40,
        )?;
        range("QUERY_MAX_ROWS_READ", self.rows_read, 1, 1_000_000_000_000)?;
        range(
            "QUERY_MAX_BYTES_READ",
            self.bytes_read,
            1,
            1_000_000_000_000_000,
        )?;
        for (key, running) in [
            ("QUERY_CONCURRENCY", self.concurrency),
            ("QUERY_HEAVY_CONCURRENCY", self.heavy_concurrency),
        ] {
            range(key, running as u64, 1, 1_000)?;
        }
        for (key, waiting) in [
            ("QUERY_QUEUE", self.queue),
            ("QUERY_HEAVY_QUEUE", self.heavy_queue),
        ] {
            range(key, waiting as u64, 0, 100_000)?;
        }
        Ok(self)
    }
}
