//! Addresses that the service returns to clients. It must never connect to them (invariant I7).

use ess_service::config::{ConfigError, ConfigKey, Section};
use poem::http::Uri;
use serde::Deserialize;

/// The addresses of the read side.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LinksConfig {
    /// The base URL at which clients reach the query-api, without a trailing slash.
    #[serde(rename = "query_api_url")]
    pub(crate) query_api: String,
    #[serde(rename = "clickhouse_url")]
    clickhouse: String,
}

impl LinksConfig {
    /// `host:port` of ClickHouse, without user and password.
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
            if !is_http_url(url) {
                let problem = format!("{url:?} is not such a URL");
                return Err(ConfigError::invalid(Self::KEYS, key, problem));
            }
        }
        let trimmed = self.query_api.trim_end_matches('/').len();
        self.query_api.truncate(trimmed);
        Ok(self)
    }
}

fn is_http_url(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none()
    })
}
