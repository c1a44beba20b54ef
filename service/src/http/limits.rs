//! How many connections a service accepts, and how large and slow the head of a request may be.

use std::time::Duration;

use serde::Deserialize;

use crate::config::{ConfigKey, Section, millis};

/// The limits of connections and of the heads of requests.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct HttpLimits {
    /// Open connections; further ones get 503 and are closed.
    #[serde(rename = "http_max_connections")]
    pub max_connections: usize,
    /// Bytes of a request line and its headers; a larger head gets 431.
    #[serde(rename = "http_max_header_bytes")]
    pub max_header_bytes: usize,
    /// How long a head may take to arrive, and how long a connection may be idle between requests; then it is closed.
    #[serde(rename = "http_header_timeout_ms", deserialize_with = "millis")]
    pub header_timeout: Duration,
}

impl Section for HttpLimits {
    const TITLE: &'static str = "HTTP limits";
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::integer(
            "HTTP_MAX_CONNECTIONS",
            "10000",
            1..=1_000_000,
            "maximum number of open connections; further ones get 503 and are closed",
        ),
        ConfigKey::integer(
            "HTTP_MAX_HEADER_BYTES",
            "65536",
            1_024..=1_048_576,
            "maximum size of request line and headers, in bytes; larger ones get 431",
        ),
        ConfigKey::integer(
            "HTTP_HEADER_TIMEOUT_MS",
            "60000",
            100..=600_000,
            "maximum time for request line and headers to arrive, and for a connection to be idle between requests, in ms; \
             then the connection is closed without a response",
        ),
    ];
}
