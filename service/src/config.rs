//! Configuration: environment over an optional TOML file over defaults, typed, and read exactly once at the start.
//! Each concern is one small [`Section`]; a service composes its own [`Settings`] from them. Nothing here is global.

mod auth;
mod clickhouse;
mod command_line;
mod error;
mod http;
mod http_limits;
mod kafka;
mod policy;
mod process;
mod secret;
mod source;

pub use self::{
    auth::{AuthConfig, JwksConfig, JwtConfig},
    clickhouse::ClickHouseConfig,
    command_line::{ConfigArgs, load, parse_arguments},
    error::ConfigError,
    http::HttpConfig,
    http_limits::HttpLimits,
    kafka::{KafkaConfig, ProducerConfig},
    policy::PolicyConfig,
    process::{LogFormat, LoggingConfig, ShutdownConfig},
    secret::Secret,
    source::{Source, millis},
};
use serde::de::DeserializeOwned;

/// One configuration key: `ENV_NAME` in the environment, `env_name` in the TOML file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigKey {
    /// The name in the environment, `UPPER_SNAKE`.
    pub env: &'static str,
    /// The value when neither environment nor file has one; empty: unset.
    pub default: &'static str,
    /// The values that are allowed, as a person would say it.
    pub allowed: &'static str,
    /// What the key means, in one line.
    pub about: &'static str,
    /// A secret is never printed.
    pub secret: bool,
}

impl ConfigKey {
    /// Describes a key that may be shown.
    pub const fn new(
        env: &'static str,
        default: &'static str,
        allowed: &'static str,
        about: &'static str,
    ) -> Self {
        Self {
            env,
            default,
            allowed,
            about,
            secret: false,
        }
    }

    /// Marks the key's value as one that is never printed.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }
}

/// One concern's configuration: a struct whose fields are renamed to the lower-case keys of [`Section::KEYS`].
///
/// Defaults live in `KEYS` alone; a key whose default is empty needs `#[serde(default)]` on its field.
pub trait Section: DeserializeOwned {
    /// Every key the section reads.
    const KEYS: &'static [ConfigKey];

    /// Checks the values, and fills in those that follow from others.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] naming the key and what is wrong with its value.
    fn checked(self) -> Result<Self, ConfigError> {
        Ok(self)
    }
}

/// One service's whole configuration.
pub trait Settings: Sized {
    /// The binary's name.
    const SERVICE: &'static str;
    /// What the binary is for, the first line of `--help`.
    const ABOUT: &'static str;
    /// Every key of every section: the keys that `--help` lists, and the only ones the TOML file may hold.
    const KNOWN_KEYS: &'static [&'static [ConfigKey]];

    /// Composes the configuration from its sections.
    ///
    /// # Errors
    /// The first [`ConfigError`] met.
    fn read(source: &Source) -> Result<Self, ConfigError>;

    /// [`Settings::KNOWN_KEYS`] as one list.
    fn keys() -> impl Iterator<Item = &'static ConfigKey> {
        Self::KNOWN_KEYS.iter().copied().flatten()
    }
}

#[cfg(test)]
pub(crate) mod tests;
