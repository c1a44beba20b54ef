//! The configuration of the command-api: the shared sections and three of its own. Read once, at startup.

mod append;
mod limits;
mod links;

pub(crate) use self::{append::AppendConfig, limits::LimitsConfig, links::LinksConfig};
use ess_service::{
    auth::AuthConfig,
    config::{
        ConfigError, ConfigKey, ConfigSection, KafkaConfig, LoggingConfig, ProducerConfig, Section,
        Settings, ShutdownConfig, Source,
    },
    http::{HttpConfig, HttpLimits},
};

const HTTP: [ConfigKey; 2] = HttpConfig::keys("COMMAND_API_ADDR", "127.0.0.1:8000");

/// The configuration of the command-api.
#[derive(Debug)]
pub struct Config {
    /// The address to listen on, and HTTP limits.
    pub http: HttpConfig,
    /// The Kafka cluster and topic.
    pub kafka: KafkaConfig,
    /// How the producer batches records.
    pub producer: ProducerConfig,
    /// Logging.
    pub log: LoggingConfig,
    /// The deadline for a drain.
    pub shutdown: ShutdownConfig,
    pub(crate) append: AppendConfig,
    pub(crate) limits: LimitsConfig,
    pub(crate) links: LinksConfig,
}

impl Settings for Config {
    const SERVICE: &'static str = "command-api";
    const ABOUT: &'static str = "Appends commands and events to Kafka.";
    const SECTIONS: &'static [ConfigSection] = &[
        HttpConfig::section(&HTTP),
        HttpLimits::SECTION,
        AuthConfig::SECTION,
        KafkaConfig::SECTION,
        ProducerConfig::SECTION,
        AppendConfig::SECTION,
        LimitsConfig::SECTION,
        LinksConfig::SECTION,
        LoggingConfig::SECTION,
        ShutdownConfig::SECTION,
    ];

    fn read(source: &Source) -> Result<Self, ConfigError> {
        let producer: ProducerConfig = source.section()?;
        let append: AppendConfig = source.section()?;
        append.check_outlasts(&producer)?;
        Ok(Self {
            http: HttpConfig::read(source, &HTTP)?,
            kafka: source.section()?,
            producer,
            log: source.section()?,
            shutdown: source.section()?,
            append,
            limits: source.section()?,
            links: source.section()?,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashMap;

    use super::*;

    pub(crate) fn read(environment: &[(&str, &str)]) -> Result<Config, String> {
        let environment: HashMap<_, _> = environment
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let source = Source::open::<Config>(None, environment).map_err(|e| e.to_string())?;
        Config::read(&source).map_err(|e| e.to_string())
    }

    #[test]
    fn the_default_limits_are_those_of_the_design() {
        let config = read(&[]).unwrap();
        assert_eq!(config.limits.item_bytes, 64 * 1024);
        assert_eq!(config.limits.request_bytes, 8 * 1024 * 1024);
        assert_eq!(config.limits.request_items, 10_000);
        assert_eq!(config.limits.item_nesting, 32);
        assert!(config.append.timeout > config.producer.message_timeout);
        assert_eq!(config.links.query_api, "http://127.0.0.1:8001");
    }

    #[test]
    fn an_error_for_a_value_out_of_range_names_its_key() {
        for (key, value) in [
            ("APPEND_TIMEOUT_MS", "10000"),
            ("APPEND_TIMEOUT_MS", "600001"),
            ("ITEM_MAX_BYTES", "400001"),
            ("ITEM_MAX_NESTING", "1"),
            ("REQUEST_MAX_BYTES", "1"),
            ("REQUEST_MAX_ITEMS", "0"),
            ("REQUEST_READ_TIMEOUT_MS", "0"),
            ("IN_FLIGHT_MAX_REQUESTS", "0"),
            ("IN_FLIGHT_MAX_BYTES", "8388607"),
            ("IN_FLIGHT_MAX_ITEMS", "9999"),
            ("QUERY_API_URL", "ftp://x"),
            ("QUERY_API_URL", "http://127.0.0.1:8001/a b"),
            ("CLICKHOUSE_URL", "clickhouse"),
        ] {
            let error = read(&[(key, value)]).unwrap_err();
            assert!(error.starts_with(&format!("{key}: ")), "{error}");
            assert!(error.contains("; allowed: "), "{error}");
        }
    }

    #[test]
    fn the_address_of_clickhouse_has_no_password() {
        for (url, host) in [
            ("http://clickhouse:8123", "clickhouse:8123"),
            ("https://user:secret@ch.example:8443/", "ch.example:8443"),
        ] {
            let config = read(&[("CLICKHOUSE_URL", url)]).unwrap();
            assert_eq!(config.links.clickhouse_host(), host);
        }
    }

    #[test]
    fn a_trailing_slash_of_a_url_is_removed() {
        let config = read(&[("QUERY_API_URL", "https://stats.example/read/")]).unwrap();
        assert_eq!(config.links.query_api, "https://stats.example/read");
    }
}
