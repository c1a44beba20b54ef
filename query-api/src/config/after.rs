//! How long a caller may wait for its own writes.

use std::time::Duration;

use ess_service::config::{ConfigKey, Section, millis};
use serde::Deserialize;

/// The bound of `?after=`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AfterConfig {
    /// The maximum wait before a 503.
    #[serde(rename = "after_max_wait_ms", deserialize_with = "millis")]
    pub(crate) max_wait: Duration,
}

impl Section for AfterConfig {
    const TITLE: &'static str = "Reading your own writes";
    const KEYS: &'static [ConfigKey] = &[ConfigKey::integer(
        "AFTER_MAX_WAIT_MS",
        "5000",
        0..=60_000,
        "maximum time that ?after= waits until a position is projected, in ms; then the request gets 503",
    )];
}
