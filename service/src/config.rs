//! Configuration: environment variables over an optional TOML file over defaults, typed and read once at startup.
//! Each concern is one small [`Section`]; a service combines its sections in [`Settings`]. No global state.

mod auth;
mod clickhouse;
mod command_line;
mod error;
mod http;
mod http_limits;
mod kafka;
mod key;
mod logging;
mod policy;
mod secret;
mod shutdown;
mod source;

pub use self::{
    auth::{AuthConfig, JwksConfig, JwtConfig},
    clickhouse::ClickHouseConfig,
    command_line::{ConfigArgs, load, parse_arguments},
    error::ConfigError,
    http::HttpConfig,
    http_limits::HttpLimits,
    kafka::{KafkaConfig, ProducerConfig},
    key::{Allowed, ConfigKey, ConfigSection, Section, Settings},
    logging::{LogFormat, LoggingConfig},
    policy::PolicyConfig,
    secret::Secret,
    shutdown::ShutdownConfig,
    source::{Source, millis},
};

#[cfg(test)]
pub(crate) mod tests;
