//! The limits of one query, and of concurrent and queued queries.

use std::time::Duration;

use ess_service::config::{ConfigKey, Section, millis};
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
    /// The maximum number of concurrent light queries, whose cost callers cannot raise.
    #[serde(rename = "query_concurrency")]
    pub(crate) concurrency: usize,
    /// The maximum number of queued light queries, and of loads that wait for a query.
    #[serde(rename = "query_queue")]
    pub(crate) queue: usize,
    /// The maximum number of concurrent heavy queries, whose cost callers can raise.
    #[serde(rename = "query_heavy_concurrency")]
    pub(crate) heavy_concurrency: usize,
    /// The maximum number of queued heavy queries.
    #[serde(rename = "query_heavy_queue")]
    pub(crate) heavy_queue: usize,
}

impl Section for LimitsConfig {
    const TITLE: &'static str = "Limits of queries";
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::integer(
            "QUERY_MAX_TIME_MS",
            "10000",
            10..=600_000,
            "max_execution_time of a query, in ms",
        ),
        ConfigKey::integer(
            "QUERY_MAX_MEMORY_BYTES",
            "1073741824",
            1_048_576..=1_099_511_627_776,
            "max_memory_usage of a query, in bytes",
        ),
        ConfigKey::integer(
            "QUERY_MAX_ROWS_READ",
            "1000000000",
            1..=1_000_000_000_000,
            "max_rows_to_read of a query",
        ),
        ConfigKey::integer(
            "QUERY_MAX_BYTES_READ",
            "107374182400",
            1..=1_000_000_000_000_000,
            "max_bytes_to_read of a query, uncompressed",
        ),
        ConfigKey::integer(
            "QUERY_CONCURRENCY",
            "32",
            1..=1_000,
            "maximum number of concurrent light queries (by id)",
        ),
        ConfigKey::integer(
            "QUERY_QUEUE",
            "1024",
            0..=100_000,
            "maximum number of queued light queries; further queries get 503",
        ),
        ConfigKey::integer(
            "QUERY_HEAVY_CONCURRENCY",
            "8",
            1..=1_000,
            "maximum number of concurrent heavy queries, whose cost depends on the request (lists, reports, retention)",
        ),
        ConfigKey::integer(
            "QUERY_HEAVY_QUEUE",
            "256",
            0..=100_000,
            "maximum number of queued heavy queries; further queries get 503",
        ),
    ];
}
