//! How large an item and a request may be, and how much may be in flight (DESIGN, section 5; invariant I10).

use std::time::Duration;

use ess_service::config::{ConfigError, ConfigKey, Section, millis};
use serde::Deserialize;

/// The limits of one item, of one request, and of all requests together.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LimitsConfig {
    /// Bytes of one item's JSON text. Below 400 kB, because its record has to fit librdkafka's and the broker's
    /// `message.max.bytes` (1 MB by default), and escaping may double what is kept of it.
    #[serde(rename = "item_max_bytes")]
    pub(crate) item_bytes: usize,
    /// How deep arrays and objects of one item nest; the item itself is level 1.
    #[serde(rename = "item_max_nesting")]
    pub(crate) item_nesting: usize,
    /// Bytes of one request's body.
    #[serde(rename = "request_max_bytes")]
    pub(crate) request_bytes: usize,
    /// Items of one request.
    #[serde(rename = "request_max_items")]
    pub(crate) request_items: usize,
    /// How long a body may take to arrive.
    #[serde(rename = "request_read_timeout_ms", deserialize_with = "millis")]
    pub(crate) read_timeout: Duration,
    /// Requests that may be worked on at once.
    #[serde(rename = "in_flight_max_requests")]
    pub(crate) in_flight_requests: usize,
    /// Bytes of the bodies of these requests.
    #[serde(rename = "in_flight_max_bytes")]
    pub(crate) in_flight_bytes: usize,
    /// Items of the lists among them.
    #[serde(rename = "in_flight_max_items")]
    pub(crate) in_flight_items: usize,
}

impl Section for LimitsConfig {
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "ITEM_MAX_BYTES",
            "65536",
            "1024 to 400000",
            "largest item, in bytes of JSON",
        ),
        ConfigKey::new(
            "ITEM_MAX_NESTING",
            "32",
            "2 to 100",
            "how deep arrays and objects of an item may nest",
        ),
        ConfigKey::new(
            "REQUEST_MAX_BYTES",
            "8388608",
            "1024 to 268435456",
            "largest body of a request, in bytes",
        ),
        ConfigKey::new(
            "REQUEST_MAX_ITEMS",
            "10000",
            "1 to 1000000",
            "most items of a request",
        ),
        ConfigKey::new(
            "REQUEST_READ_TIMEOUT_MS",
            "30000",
            "100 to 600000",
            "how long a body may take to arrive, in ms; then it is answered 408",
        ),
        ConfigKey::new(
            "IN_FLIGHT_MAX_REQUESTS",
            "4096",
            "1 to 1000000",
            "most requests worked on at once; more are refused with 503",
        ),
        ConfigKey::new(
            "IN_FLIGHT_MAX_BYTES",
            "268435456",
            "REQUEST_MAX_BYTES to 1099511627776",
            "most bytes of bodies worked on at once; more are refused with 503",
        ),
        ConfigKey::new(
            "IN_FLIGHT_MAX_ITEMS",
            "100000",
            "REQUEST_MAX_ITEMS to 100000000",
            "most items of lists worked on at once; more are refused with 503",
        ),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        let range = |key, value: usize, from: usize, to: usize| {
            ConfigError::check_range(Self::KEYS, key, &value, &(from..=to))
        };
        let read_timeout = self.read_timeout.as_millis() as usize;
        range("ITEM_MAX_BYTES", self.item_bytes, 1_024, 400_000)?;
        range("ITEM_MAX_NESTING", self.item_nesting, 2, 100)?;
        range("REQUEST_MAX_BYTES", self.request_bytes, 1_024, 256 << 20)?;
        range("REQUEST_MAX_ITEMS", self.request_items, 1, 1_000_000)?;
        range("REQUEST_READ_TIMEOUT_MS", read_timeout, 100, 600_000)?;
        range(
            "IN_FLIGHT_MAX_REQUESTS",
            self.in_flight_requests,
            1,
            1_000_000,
        )?;
        let least = self.request_bytes;
        range("IN_FLIGHT_MAX_BYTES", self.in_flight_bytes, least, 1 << 40)?;
        let least = self.request_items;
        range(
            "IN_FLIGHT_MAX_ITEMS",
            self.in_flight_items,
            least,
            100_000_000,
        )?;
        Ok(self)
    }
}
