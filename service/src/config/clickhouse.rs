//! Where the read model is, and as whom to reach it.

use serde::Deserialize;

use super::{ConfigError, ConfigKey, Secret, Section};

/// The read model's server. `database` is the control database; generation N lives in `<database>_gN`.
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
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "CLICKHOUSE_URL",
            "http://127.0.0.1:8123",
            "http://host:port",
            "HTTP address of the read model",
        ),
        ConfigKey::new(
            "CLICKHOUSE_DATABASE",
            "ess",
            "a letter, then up to 59 letters, digits or _",
            "control database; generations live in <database>_gN",
        ),
        ConfigKey::new(
            "CLICKHOUSE_USER",
            "default",
            "a user name",
            "user of the read model",
        ),
        ConfigKey::new(
            "CLICKHOUSE_PASSWORD",
            "",
            "any text",
            "that user's password",
        )
        .secret(),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        let refuse = |key, problem| Err(ConfigError::invalid(Self::KEYS, key, problem));
        let address = self
            .url
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'));
        if address.is_none_or(|address| address.is_empty() || address.contains(['/', '?', '@'])) {
            return refuse(
                "CLICKHOUSE_URL",
                format!("{:?} is not such an address", self.url),
            );
        }
        // The name is spliced into DDL, where nothing can be bound: so it may hold nothing that needs quoting.
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let starts_well = self.database.starts_with(|c: char| c.is_ascii_alphabetic());
        if !starts_well || self.database.len() > 60 || !self.database.chars().all(plain) {
            return refuse(
                "CLICKHOUSE_DATABASE",
                format!("{:?} is not a plain name", self.database),
            );
        }
        Ok(self)
    }
}
