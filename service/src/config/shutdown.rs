//! How long a process may take to stop.

use std::time::Duration;

use serde::Deserialize;

use super::{ConfigKey, Section, millis};

/// How a process stops.
#[derive(Debug, Clone, Deserialize)]
pub struct ShutdownConfig {
    /// How long draining may take after SIGTERM.
    #[serde(rename = "shutdown_deadline_ms", deserialize_with = "millis")]
    pub deadline: Duration,
}

impl Section for ShutdownConfig {
    const TITLE: &'static str = "Shutdown";
    const KEYS: &'static [ConfigKey] = &[ConfigKey::integer(
        "SHUTDOWN_DEADLINE_MS",
        "20000",
        100..=600_000,
        "maximum time to drain after SIGTERM, in ms",
    )];
}
