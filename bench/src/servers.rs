//! The servers under measurement: their addresses and process ids. Never starts or stops them: `cargo xtask bench` does.

use std::collections::HashMap;

use ess_projector::config::Settings;
use ess_service::config::{Settings as _, Source};

use crate::error::Result;

/// Kafka and ClickHouse. `cargo xtask bench` sets all of it in the environment.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Servers")]
pub(crate) struct Servers {
    /// Kafka's bootstrap servers
    #[arg(long, env = "KAFKA_BROKERS")]
    pub(crate) brokers: String,
    /// ClickHouse's HTTP address
    #[arg(long, env = "CLICKHOUSE_URL")]
    pub(crate) clickhouse_url: String,
    /// Process id of Kafka, for its CPU time
    #[arg(long, env = "ESS_BENCH_KAFKA_PID")]
    pub(crate) kafka_pid: i32,
    /// Process id of ClickHouse, for its CPU time
    #[arg(long, env = "ESS_BENCH_CLICKHOUSE_PID")]
    pub(crate) clickhouse_pid: i32,
    /// The commit under measurement, for the report
    #[arg(long, env = "ESS_BENCH_COMMIT", default_value = "unknown")]
    pub(crate) commit: String,
}

impl Servers {
    /// The environment of a projector that folds `topic` into the databases of `name`.
    pub(crate) fn environment(&self, topic: &str, name: &str) -> HashMap<String, String> {
        let values = [
            ("KAFKA_BROKERS", self.brokers.as_str()),
            ("KAFKA_TOPIC", topic),
            ("CLICKHOUSE_URL", &self.clickhouse_url),
            ("CLICKHOUSE_DATABASE", name),
            ("PROJECTOR_GROUP", name),
        ];
        let owned = values.map(|(key, value)| (key.to_owned(), value.to_owned()));
        owned.into()
    }

    /// The settings of that projector.
    pub(crate) fn settings(&self, topic: &str, name: &str) -> Result<Settings> {
        settings(self.environment(topic, name))
    }
}

/// The settings of a projector with this environment.
pub(crate) fn settings(environment: HashMap<String, String>) -> Result<Settings> {
    let source = Source::open::<Settings>(None, environment)?;
    Ok(Settings::read(&source)?)
}
