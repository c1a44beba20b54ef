//! What a process logs, and in which format.

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use super::{ConfigError, ConfigKey, Section};

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// Text for people, colored on a terminal.
    Pretty,
}

impl TryFrom<String> for LogFormat {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "json" => Ok(Self::Json),
            "pretty" => Ok(Self::Pretty),
            _ => Err(format!("{name:?} is not a log format")),
        }
    }
}

/// What is logged, and in which format.
#[derive(Debug, Clone, Deserialize)]
pub struct LoggingConfig {
    /// The format; none: pretty on a terminal, otherwise JSON.
    #[serde(rename = "log_format", default)]
    pub format: Option<LogFormat>,
    /// The level, unless `rust_log` is set.
    #[serde(rename = "log_level")]
    pub level: String,
    /// Filter directives of `tracing_subscriber::EnvFilter`; empty: unset.
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
    const TITLE: &'static str = "Logging";
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "LOG_LEVEL",
            "info",
            "off, error, warn, info, debug or trace",
            "log level",
        ),
        ConfigKey::new(
            "RUST_LOG",
            "",
            "filter directives, such as info,rdkafka=debug",
            "log level per module; overrides LOG_LEVEL",
        ),
        ConfigKey::new(
            "LOG_FORMAT",
            "",
            "json or pretty",
            "format of log lines; unset: pretty on a terminal, otherwise json",
        ),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        let invalid = |key, problem| Err(ConfigError::invalid(Self::KEYS, key, problem));
        if self
            .level
            .parse::<tracing_subscriber::filter::LevelFilter>()
            .is_err()
        {
            return invalid("LOG_LEVEL", format!("{:?} is not a log level", self.level));
        }
        if EnvFilter::try_new(&self.rust_log).is_err() {
            return invalid(
                "RUST_LOG",
                format!("{:?} is not a list of filter directives", self.rust_log),
            );
        }
        Ok(self)
    }
}
