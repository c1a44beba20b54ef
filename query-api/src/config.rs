//! The configuration of the query-api: the shared sections and four of its own. It is read once, at the start.

mod after;
mod cache;
mod limits;
mod live;

pub(crate) use self::{
    after::AfterConfig, cache::CacheConfig, limits::LimitsConfig, live::LiveConfig,
};
use ess_schema::playback::Policy;
use ess_service::{
    auth::AuthConfig,
    config::{
        ClickHouseConfig, ConfigError, ConfigKey, ConfigSection, LoggingConfig, PolicyConfig,
        Section, Settings, ShutdownConfig, Source,
    },
    http::{HttpConfig, HttpLimits},
};

const HTTP: [ConfigKey; 2] = HttpConfig::keys("QUERY_API_ADDR", "127.0.0.1:8001");

/// The configuration.
#[derive(Debug)]
pub struct Config {
    /// The HTTP server.
    pub http: HttpConfig,
    /// The ClickHouse server.
    pub clickhouse: ClickHouseConfig,
    /// Logging.
    pub log: LoggingConfig,
    /// Shutdown.
    pub shutdown: ShutdownConfig,
    pub(crate) policy: Policy,
    pub(crate) cache: CacheConfig,
    pub(crate) limits: LimitsConfig,
    pub(crate) after: AfterConfig,
    pub(crate) live: LiveConfig,
}

impl Settings for Config {
    const SERVICE: &'static str = "query-api";
    const ABOUT: &'static str = "Answers questions about playbacks and events from the read model.";
    const SECTIONS: &'static [ConfigSection] = &[
        HttpConfig::section(&HTTP),
        HttpLimits::SECTION,
        AuthConfig::SECTION,
        ClickHouseConfig::SECTION,
        PolicyConfig::SECTION,
        CacheConfig::SECTION,
        LimitsConfig::SECTION,
        AfterConfig::SECTION,
        LiveConfig::SECTION,
        LoggingConfig::SECTION,
        ShutdownConfig::SECTION,
    ];

    fn read(source: &Source) -> Result<Self, ConfigError> {
        let PolicyConfig {
            counted_stream_threshold_ms: counted_threshold_ms,
            settle_after_ms,
        } = source.section()?;
        Ok(Self {
            http: HttpConfig::read(source, &HTTP)?,
            clickhouse: source.section()?,
            log: source.section()?,
            shutdown: source.section()?,
            policy: Policy {
                counted_threshold_ms,
                settle_after_ms: settle_after_ms.cast_signed(),
            },
            cache: source.section()?,
            limits: source.section()?,
            after: source.section()?,
            live: source.section()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn read(environment: &[(&str, &str)]) -> Result<Config, String> {
        let environment: HashMap<_, _> = environment
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let source = Source::open::<Config>(None, environment).map_err(|e| e.to_string())?;
        Config::read(&source).map_err(|e| e.to_string())
    }

    #[test]
    fn the_default_of_every_key_is_valid() {
        let config = read(&[]).unwrap();
        assert_eq!(config.policy, Policy::default());
        assert_eq!(config.cache.open_ttl.as_millis(), 1_000);
        assert_eq!(config.cache.settled_ttl.as_millis(), 60_000);
        assert_eq!(config.after.max_wait.as_millis(), 5_000);
        assert_eq!(config.limits.time.as_secs(), 10);
    }

    #[test]
    fn a_value_out_of_range_names_its_key() {
        for (key, value) in [
            ("CACHE_MAX_BYTES", "1"),
            ("CACHE_OPEN_TTL_MS", "3600001"),
            ("CACHE_SETTLED_TTL_MS", "many"),
            ("QUERY_MAX_TIME_MS", "0"),
            ("QUERY_MAX_MEMORY_BYTES", "1"),
            ("QUERY_MAX_ROWS_READ", "0"),
            ("QUERY_MAX_BYTES_READ", "0"),
            ("QUERY_CONCURRENCY", "0"),
            ("QUERY_QUEUE", "100001"),
            ("QUERY_HEAVY_CONCURRENCY", "1001"),
            ("QUERY_HEAVY_QUEUE", "-1"),
            ("AFTER_MAX_WAIT_MS", "60001"),
            ("LIVE_INTERVAL_MS", "8001"),
            ("LIVE_HEARTBEAT_MS", "15001"),
            ("LIVE_MAX_LISTENERS", "0"),
            ("LIVE_MAX_QUESTIONS", "0"),
        ] {
            let refusal = read(&[(key, value)]).unwrap_err();
            assert!(refusal.starts_with(&format!("{key}: ")), "{refusal}");
            assert!(refusal.contains("; allowed: "), "{refusal}");
        }
    }
}
