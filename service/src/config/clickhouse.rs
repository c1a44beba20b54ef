//! The address and the account of ClickHouse.

use serde::Deserialize;

use super::{ConfigError, ConfigKey, Secret, Section};

/// The ClickHouse server. `database` is the control database; generation N is stored in `<database>_gN`.
#[derive(Debug, Clone, Deserialize)]
pub struct ClickHouseConfig {
    /// The server's HTTP address.
    #[serde(rename = "clickhouse_url")]
    pub url: String,
    /// The control database.
    #[serde(rename = "clickhouse_database")]
    pub database: String,
    /// The user.
    #[serde(rename = "clickhouse_user")]
    pub user: String,
    /// The user's password; empty: none.
    #[serde(rename = "clickhouse_password", default)]
    pub password: Secret,
}

impl ClickHouseConfig {
    /// The database of one generation.
    pub fn generation_database(&self, generation: u32) -> String {
        format!("{}_g{generation}", self.database)
    }
}

impl Section for ClickHouseConfig {
    const TITLE: &'static str = "ClickHouse";
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "CLICKHOUSE_URL",
            "http://127.0.0.1:8123",
            "http://host:port",
            "HTTP address of ClickHouse",
        ),
        ConfigKey::new(
            "CLICKHOUSE_DATABASE",
            "ess",
            "a letter, then up to 59 letters, digits or _",
            "control database; generation N is stored in <CLICKHOUSE_DATABASE>_gN",
        ),
        ConfigKey::new(
            "CLICKHOUSE_USER",
            "default",
            "a user name",
            "user name for ClickHouse",
        ),
        ConfigKey::new(
            "CLICKHOUSE_PASSWORD",
            "",
            "any text",
            "password of CLICKHOUSE_USER; unset: none",
        )
        .secret(),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        let invalid = |key, problem| Err(ConfigError::invalid(Self::KEYS, key, problem));
        let address = self
            .url
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'));
        if address.is_none_or(|address| address.is_empty() || address.contains(['/', '?', '@'])) {
            return invalid(
                "CLICKHOUSE_URL",
                format!("{:?} is not an HTTP address", self.url),
            );
        }
        // The name is part of DDL statements, which cannot bind values: it must not need quoting.
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let starts_well = self.database.starts_with(|c: char| c.is_ascii_alphabetic());
        if !starts_well || self.database.len() > 60 || !self.database.chars().all(plain) {
            return invalid(
                "CLICKHOUSE_DATABASE",
                format!("{:?} is not a valid name", self.database),
            );
        }
        Ok(self)
    }
}
