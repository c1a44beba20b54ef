//! Configuration: environment variables over an optional TOML file over defaults, typed and read once at startup.
//! Each concern is one small [`Section`]; a service combines its sections in [`Settings`]. No global state.

mod clickhouse;
mod command_line;
mod error;
mod kafka;
mod key;
mod logging;
mod policy;
mod secret;
mod shutdown;
mod source;

pub use self::{
    clickhouse::ClickHouseConfig,
    command_line::{ConfigArgs, load, parse_arguments},
    error::ConfigError,
    kafka::{KafkaConfig, ProducerConfig},
    key::{Allowed, ConfigKey, ConfigSection},
    logging::{LogFormat, LoggingConfig},
    policy::PolicyConfig,
    secret::Secret,
    shutdown::ShutdownConfig,
    source::{Section, Settings, Source, millis},
};

#[cfg(test)]
pub(crate) mod tests;
