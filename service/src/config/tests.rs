//! How a configuration is read, and which errors an invalid one gives.

use std::{collections::HashMap, fs, path::PathBuf};

use super::*;
use crate::{
    auth::AuthConfig,
    http::{HttpConfig, HttpLimits},
};

/// A service with every section.
#[derive(Debug)]
pub(crate) struct Everything {
    kafka: KafkaConfig,
    producer: ProducerConfig,
    clickhouse: ClickHouseConfig,
    http: HttpConfig,
    log: LoggingConfig,
    shutdown: ShutdownConfig,
    policy: PolicyConfig,
}

const HTTP: [ConfigKey; 2] = HttpConfig::keys("COMMAND_API_ADDR", "127.0.0.1:8000");

impl Settings for Everything {
    const SERVICE: &'static str = "everything";
    const ABOUT: &'static str = "A service with every section.";
    const SECTIONS: &'static [ConfigSection] = &[
        KafkaConfig::SECTION,
        ProducerConfig::SECTION,
        ClickHouseConfig::SECTION,
        HttpConfig::section(&HTTP),
        HttpLimits::SECTION,
        AuthConfig::SECTION,
        LoggingConfig::SECTION,
        ShutdownConfig::SECTION,
        PolicyConfig::SECTION,
    ];

    fn read(source: &Source) -> Result<Self, ConfigError> {
        Ok(Self {
            kafka: source.section()?,
            producer: source.section()?,
            clickhouse: source.section()?,
            http: HttpConfig::read(source, &HTTP)?,
            log: source.section()?,
            shutdown: source.section()?,
            policy: source.section()?,
        })
    }
}

fn read(environment: &[(&str, &str)]) -> Result<Everything, String> {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let source = Source::open::<Everything>(None, environment).map_err(|e| e.to_string())?;
    Everything::read(&source).map_err(|e| e.to_string())
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("ess-config-{}-{name}.toml", std::process::id()));
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn keys_that_are_not_set_have_their_defaults() {
    let config = read(&[]).unwrap();
    assert_eq!(
        (config.kafka.partitions, config.kafka.retention_ms),
        (12, -1)
    );
    assert_eq!(
        config.kafka.dead_letter_topic,
        "playback-events.dead-letters"
    );
    assert_eq!(config.producer.linger.as_millis(), 2);
    assert_eq!(config.clickhouse.generation_database(3), "ess_g3");
    assert_eq!(config.http.addr.port(), 8000);
    assert_eq!((config.log.format, config.log.filter()), (None, "info"));
    assert_eq!(config.shutdown.deadline.as_secs(), 20);
    assert_eq!(
        (
            config.policy.counted_stream_threshold_ms,
            config.policy.settle_after_ms
        ),
        (30_000, 1_800_000)
    );
}

#[test]
fn an_invalid_value_names_its_key_the_problem_and_the_allowed_values() {
    for (key, value, text) in [
        (
            "KAFKA_PARTITIONS",
            "many",
            r#"KAFKA_PARTITIONS: string "many" is not an integer; allowed: 1 to 10000"#,
        ),
        (
            "KAFKA_PARTITIONS",
            "0",
            "KAFKA_PARTITIONS: 0 is out of range; allowed: 1 to 10000",
        ),
        (
            "KAFKA_MIN_INSYNC",
            "2",
            "KAFKA_MIN_INSYNC: 2 is out of range; allowed: 1 to KAFKA_REPLICATION",
        ),
        (
            "KAFKA_BROKERS",
            "here",
            r#"KAFKA_BROKERS: "here" is not a list of brokers; allowed: host:port, several separated by commas"#,
        ),
        (
            "SHUTDOWN_DEADLINE_MS",
            "-1",
            r#"SHUTDOWN_DEADLINE_MS: string "-1" is not an integer; allowed: 100 to 600000"#,
        ),
        (
            "CLICKHOUSE_DATABASE",
            "e`s",
            r#"CLICKHOUSE_DATABASE: "e`s" is not a valid name; allowed: a letter, then up to 59 letters, digits or _"#,
        ),
        (
            "LOG_FORMAT",
            "xml",
            r#"LOG_FORMAT: "xml" is not a log format; allowed: json or pretty"#,
        ),
        (
            "LOG_LEVEL",
            "loud",
            r#"LOG_LEVEL: "loud" is not a log level; allowed: off, error, warn, info, debug or trace"#,
        ),
        (
            "ESS_ALLOW_UNAUTHENTICATED",
            "maybe",
            r#"ESS_ALLOW_UNAUTHENTICATED: string "maybe" is not a boolean; allowed: true or false"#,
        ),
    ] {
        assert_eq!(read(&[(key, value)]).unwrap_err(), text);
    }
}

#[test]
fn without_authentication_a_service_listens_on_loopback_only() {
    let beyond = ("COMMAND_API_ADDR", "0.0.0.0:8000");
    let error = read(&[beyond]).unwrap_err();
    assert!(
        error.starts_with("COMMAND_API_ADDR: 0.0.0.0:8000 can be reached from other machines"),
        "{error}"
    );
    assert!(
        error.contains("set ESS_ALLOW_UNAUTHENTICATED=true"),
        "{error}"
    );
    assert!(read(&[beyond, ("ESS_ALLOW_UNAUTHENTICATED", "true")]).is_ok());
    let secret = ("AUTH_JWT_HS256_SECRET", "0123456789abcdef0123456789abcdef");
    assert!(read(&[beyond, secret, ("AUTH_JWT_AUDIENCE", "ess")]).is_ok());
    assert!(read(&[("COMMAND_API_ADDR", "[::1]:8000")]).is_ok());
}

#[test]
fn invalid_authentication_and_limits_are_rejected_at_startup() {
    let secret = ("AUTH_JWT_HS256_SECRET", "0123456789abcdef0123456789abcdef");
    let jwks = ("AUTH_JWKS", "/etc/ess/jwks.json");
    for (set, why) in [
        (
            &[("AUTH_JWT_HS256_SECRET", "short")][..],
            "AUTH_JWT_HS256_SECRET: the secret has 5 bytes",
        ),
        (&[secret], "AUTH_JWT_AUDIENCE: a value is required"),
        (&[jwks], "AUTH_JWT_AUDIENCE: a value is required"),
        (&[("AUTH_JWKS", "ftp://id.example/jwks")], "AUTH_JWKS: "),
        (
            &[("AUTH_API_KEYS_FILE", "/nowhere/keys.toml")],
            "AUTH_API_KEYS_FILE: /nowhere/keys.toml: ",
        ),
        (
            &[("AUTH_JWKS_REFRESH_MS", "1")],
            "AUTH_JWKS_REFRESH_MS: 1 is out of range",
        ),
        (
            &[
                secret,
                ("AUTH_JWT_AUDIENCE", "ess"),
                ("AUTH_JWT_LEEWAY_MS", "300001"),
            ],
            "AUTH_JWT_LEEWAY_MS: 300001 is out of range",
        ),
        (
            &[
                secret,
                ("AUTH_JWT_AUDIENCE", "ess"),
                ("AUTH_JWT_DEFAULT_SCOPES", "all"),
            ],
            r#"AUTH_JWT_DEFAULT_SCOPES: unknown scope "all"; allowed: "#,
        ),
        (
            &[("HTTP_MAX_CONNECTIONS", "0")],
            "HTTP_MAX_CONNECTIONS: 0 is out of range",
        ),
        (
            &[("HTTP_MAX_HEADER_BYTES", "1")],
            "HTTP_MAX_HEADER_BYTES: 1 is out of range",
        ),
        (
            &[("HTTP_HEADER_TIMEOUT_MS", "0")],
            "HTTP_HEADER_TIMEOUT_MS: 0 is out of range",
        ),
    ] {
        let error = read(set).unwrap_err();
        assert!(error.starts_with(why), "{error}");
    }
    assert!(!read(&[]).unwrap().http.auth.is_enabled());
}

#[test]
fn the_environment_overrides_the_file_and_the_file_the_defaults() {
    let path = file(
        "order",
        "kafka_topic = \"of-the-file\"\nkafka_partitions = 3\n",
    );
    let environment = HashMap::from([("KAFKA_TOPIC".to_owned(), "of-the-environment".to_owned())]);
    let source = Source::open::<Everything>(Some(&path), environment).unwrap();
    let kafka: KafkaConfig = source.section().unwrap();
    assert_eq!(
        (kafka.topic.as_str(), kafka.partitions, kafka.replication),
        ("of-the-environment", 3, 1)
    );
    assert_eq!(kafka.dead_letter_topic, "of-the-environment.dead-letters");
    fs::remove_file(path).unwrap();
}

#[test]
fn an_empty_variable_counts_as_unset() {
    assert_eq!(
        read(&[("KAFKA_TOPIC", "")]).unwrap().kafka.topic,
        "playback-events"
    );
}

#[test]
fn an_error_names_an_unknown_key_in_the_file() {
    let path = file("unknown", "kafka_topics = \"x\"\n");
    let error = Source::open::<Everything>(Some(&path), HashMap::new())
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("unknown key `kafka_topics`; --help lists all keys"),
        "{error}"
    );
    fs::remove_file(path).unwrap();
}

#[test]
fn an_error_names_a_missing_or_broken_file() {
    let missing =
        Source::open::<Everything>(Some(&PathBuf::from("/nowhere/ess.toml")), HashMap::new())
            .unwrap_err();
    assert!(
        missing.to_string().contains("/nowhere/ess.toml"),
        "{missing}"
    );
    let path = file("broken", "kafka_topic = ");
    let broken = Source::open::<Everything>(Some(&path), HashMap::new()).unwrap_err();
    assert!(broken.to_string().contains("broken.toml"), "{broken}");
    fs::remove_file(path).unwrap();
}

#[test]
fn the_effective_configuration_is_printed_without_secrets() {
    let environment = HashMap::from([("CLICKHOUSE_PASSWORD".to_owned(), "hunter2".to_owned())]);
    let source = Source::open::<Everything>(None, environment).unwrap();
    let printed = source.effective();
    assert!(
        printed.contains("CLICKHOUSE_PASSWORD=(set)\n")
            && printed.contains("KAFKA_TOPIC=playback-events\n"),
        "{printed}"
    );
    let clickhouse: ClickHouseConfig = source.section().unwrap();
    assert!(!format!("{printed}{clickhouse:?}").contains("hunter2"));
    assert_eq!(clickhouse.password.expose(), "hunter2");
}

#[test]
fn no_key_is_declared_twice() {
    let mut names: Vec<&str> = Everything::keys().map(|key| key.env).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}
