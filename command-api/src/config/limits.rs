//! The limits on items, on requests, and on everything in flight (DESIGN, section 5; invariant I10).

use std::time::Duration;

use ess_service::config::{ConfigError, ConfigKey, Section, millis};
use serde::Deserialize;

/// The limits of one item, of one request, and of all requests together.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LimitsConfig {
    /// Maximum bytes of one item's JSON text. At most 400 kB, because its record must fit `message.max.bytes` of librdkafka and of
    /// the broker (1 MB by default), and escaping may double its size.
    #[serde(rename = "item_max_bytes")]
    pub(crate) item_bytes: usize,
    /// Maximum nesting of arrays and objects in one item; the item itself is level 1.
    #[serde(rename = "item_max_nesting")]
    pub(crate) item_nesting: usize,
    /// Maximum bytes of one request's body, decompressed.
    #[serde(rename = "request_max_bytes")]
    pub(crate) request_bytes: usize,
    /// Maximum items of one request.
    #[serde(rename = "request_max_items")]
    pub(crate) request_items: usize,
    /// How long a body may take to arrive.
    #[serde(rename = "request_read_timeout_ms", deserialize_with = "millis")]
    pub(crate) read_timeout: Duration,
    /// Maximum requests in flight.
    #[serde(rename = "in_flight_max_requests")]
    pub(crate) in_flight_requests: usize,
    /// Maximum bytes of their bodies.
    #[serde(rename = "in_flight_max_bytes")]
    pub(crate) in_flight_bytes: usize,
    /// Maximum items of their lists.
    #[serde(rename = "in_flight_max_items")]
    pub(crate) in_flight_items: usize,
}

impl Section for LimitsConfig {
    const TITLE: &'static str = "Limits of requests";
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::integer(
            "ITEM_MAX_BYTES",
            "65536",
            1_024..=400_000,
            "maximum size of an item, in bytes of JSON",
        ),
        ConfigKey::integer(
            "ITEM_MAX_NESTING",
            "32",
            2..=100,
            "maximum nesting depth of arrays and objects in an item",
        ),
        ConfigKey::integer(
            "REQUEST_MAX_BYTES",
            "8388608",
            1_024..=268_435_456,
            "maximum size of a request body, in bytes",
        ),
        ConfigKey::integer(
            "REQUEST_MAX_ITEMS",
            "10000",
            1..=1_000_000,
            "maximum number of items in a request",
        ),
        ConfigKey::integer(
            "REQUEST_READ_TIMEOUT_MS",
            "30000",
            100..=600_000,
            "maximum time for a request body to arrive, in ms; then the request gets 408",
        ),
        ConfigKey::integer(
            "IN_FLIGHT_MAX_REQUESTS",
            "4096",
            1..=1_000_000,
            "maximum number of requests in flight; further requests get 503",
        ),
        ConfigKey::new(
            "IN_FLIGHT_MAX_BYTES",
            "268435456",
            "REQUEST_MAX_BYTES to 1099511627776",
            "maximum total size of the request bodies in flight, in bytes; further requests get 503",
        ),
        ConfigKey::new(
            "IN_FLIGHT_MAX_ITEMS",
            "100000",
            "REQUEST_MAX_ITEMS to 100000000",
            "maximum number of list items in flight; further requests get 503",
        ),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        for (key, value, min, max) in [
            (
                "IN_FLIGHT_MAX_BYTES",
                self.in_flight_bytes,
                self.request_bytes,
                1 << 40,
            ),
            (
                "IN_FLIGHT_MAX_ITEMS",
                self.in_flight_items,
                self.request_items,
                100_000_000,
            ),
        ] {
            ConfigError::check_range(Self::KEYS, key, &value, &(min..=max))?;
        }
        Ok(self)
    }
}
