//! How a process logs, and how long it may take to stop.

use std::time::Duration;

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use super::{ConfigError, ConfigKey, Section, millis};

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// Coloured text, for people.
    Pretty,
}

/// What is logged, and how.
#[derive(Debug, Clone, Deserialize)]
pub struct LoggingConfig {
    /// The form; none: pretty on a terminal, else JSON.
    #[serde(rename = "log_format", default)]
    pub format: Option<LogFormat>,
    /// The filter that applies when `rust_log` is empty.
    #[serde(rename = "log_level")]
    pub level: String,
    /// A finer filter, in the directives of `tracing_subscriber::EnvFilter`.
    #[serde(rename = "rust_log", default)]
    pub rust_log: String,
}

impl LoggingConfig {
    /// The filter in effect.
    pub fn filter(&self) -> &str {
        if self.rust_log.is_empty() {
            &self.level
        } else {
            &self.rust_log
        }
    }
}

impl Section for LoggingConfig {
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "LOG_FORMAT",
            "",
            "json or pretty",
            "form of the log; unset: pretty on a terminal, else json",
        ),
        ConfigKey::new(
            "LOG_LEVEL",
            "info",
            "off, error, warn, info, debug or trace",
            "what is logged",
        ),
        ConfigKey::new(
            "RUST_LOG",
            "",
            "filter directives, e.g. info,rdkafka=debug",
            "a finer filter, in place of LOG_LEVEL",
        ),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        let refuse = |key, value: &str| {
            Err(ConfigError::invalid(
                Self::KEYS,
                key,
                format!("{value:?} is not allowed"),
            ))
        };
        if self
            .level
            .parse::<tracing_subscriber::filter::LevelFilter>()
            .is_err()
        {
            return refuse("LOG_LEVEL", &self.level);
        }
        if EnvFilter::try_new(&self.rust_log).is_err() {
            return refuse("RUST_LOG", &self.rust_log);
        }
        Ok(self)
    }
}

/// How a process stops.
#[derive(Debug, Clone, Deserialize)]
pub struct ShutdownConfig {
    /// How long draining may take after SIGTERM.
    #[serde(rename = "shutdown_deadline_ms", deserialize_with = "millis")]
    pub deadline: Duration,
}

impl Section for ShutdownConfig {
    const KEYS: &'static [ConfigKey] = &[ConfigKey::new(
        "SHUTDOWN_DEADLINE_MS",
        "20000",
        "100 to 600000",
        "how long draining may take after SIGTERM, in ms",
    )];

    fn checked(self) -> Result<Self, ConfigError> {
        let deadline = self.deadline.as_millis();
        ConfigError::check_range(
            Self::KEYS,
            "SHUTDOWN_DEADLINE_MS",
            &deadline,
            &(100..=600_000),
        )?;
        Ok(self)
    }
}
