//! Addresses that are told to callers. The service itself never connects to them (invariant I7).

use ess_service::config::{ConfigError, ConfigKey, Section};
use poem::http::Uri;
use serde::Deserialize;

/// Where to read, and what to answer to `GET /config`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LinksConfig {
    /// The query-api as callers reach it, without a slash at its end.
    #[serde(rename = "query_api_url")]
    pub(crate) query_api: String,
    #[serde(rename = "clickhouse_url")]
    clickhouse: String,
}

impl LinksConfig {
    /// `host:port` of the read model, without user and password.
    pub(crate) fn clickhouse_host(&self) -> String {
        let uri = self.clickhouse.parse::<Uri>().unwrap_or_default();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let host = authority.rsplit('@').next().unwrap_or_default();
        host.to_owned()
    }
}

impl Section for LinksConfig {
    const TITLE: &'static str = "Addresses for callers";
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "QUERY_API_URL",
            "http://127.0.0.1:8001",
            "http:// or https://, host and port, and optionally a path",
            "URL of the query-api for callers; Location headers begin with it",
        ),
        ConfigKey::new(
            "CLICKHOUSE_URL",
            "http://127.0.0.1:8123",
            "http:// or https://, host and port",
            "address of ClickHouse that GET /config reports; the command-api never connects to it",
        ),
    ];

    fn checked(mut self) -> Result<Self, ConfigError> {
        for (key, url) in [
            ("QUERY_API_URL", &self.query_api),
            ("CLICKHOUSE_URL", &self.clickhouse),
        ] {
            if !is_web_address(url) {
                let problem = format!("{url:?} is no such address");
                return Err(ConfigError::invalid(Self::KEYS, key, problem));
            }
        }
        let trimmed = self.query_api.trim_end_matches('/').len();
        self.query_api.truncate(trimmed);
        Ok(self)
    }
}

fn is_web_address(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none()
    })
}
