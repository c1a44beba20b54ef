//! How many connections a service has at once, and what it takes of each before it knows what is asked.

use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, ConfigKey, Section, millis};

/// The limits of connections and of the heads of requests.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct HttpLimits {
    /// Connections at once; one more is answered 503 and closed.
    #[serde(rename = "http_max_connections")]
    pub max_connections: usize,
    /// Bytes of a request's first line and headers; more are answered 431.
    #[serde(rename = "http_max_header_bytes")]
    pub max_header_bytes: usize,
    /// How long a whole head may take to arrive, and how long a connection may rest between two requests; then it is closed.
    #[serde(rename = "http_header_timeout_ms", deserialize_with = "millis")]
    pub header_timeout: Duration,
}

impl Section for HttpLimits {
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "HTTP_MAX_CONNECTIONS",
            "10000",
            "1 to 1000000",
            "most connections at once; one more is answered 503 and closed",
        ),
        ConfigKey::new(
            "HTTP_MAX_HEADER_BYTES",
            "65536",
            "1024 to 1048576",
            "largest first line and headers of a request, in bytes; more are answered 431",
        ),
        ConfigKey::new(
            "HTTP_HEADER_TIMEOUT_MS",
            "60000",
            "100 to 600000",
            "how long first line and headers may take to arrive, and a connection may rest between requests, in ms; then it is closed",
        ),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        let range = |key, value: usize, from: usize, to: usize| {
            ConfigError::check_range(Self::KEYS, key, &value, &(from..=to))
        };
        let timeout = self.header_timeout.as_millis() as usize;
        range("HTTP_MAX_CONNECTIONS", self.max_connections, 1, 1_000_000)?;
        range(
            "HTTP_MAX_HEADER_BYTES",
            self.max_header_bytes,
            1_024,
            1 << 20,
        )?;
        range("HTTP_HEADER_TIMEOUT_MS", timeout, 100, 600_000)?;
        Ok(self)
    }
}
