//! The servers that are measured: where they listen, and which processes they are. They are started and ended by whoever
//! starts the benchmark.

use std::collections::HashMap;

use clap::Args;
use ess_projector::config::Settings;
use ess_service::config::{Settings as _, Source};

use crate::error::Result;

/// Which Kafka and ClickHouse; `cargo xtask bench` says all of it by the environment.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Servers")]
pub(crate) struct Servers {
    /// Kafka's bootstrap servers
    #[arg(long, env = "KAFKA_BROKERS")]
    pub(crate) brokers: String,
    /// ClickHouse's HTTP address
    #[arg(long, env = "CLICKHOUSE_URL")]
    pub(crate) clickhouse_url: String,
    /// Kafka's process, whose CPU time is counted
    #[arg(long, env = "ESS_BENCH_KAFKA_PID")]
    pub(crate) kafka_pid: i32,
    /// ClickHouse's process, whose CPU time is counted
    #[arg(long, env = "ESS_BENCH_CLICKHOUSE_PID")]
    pub(crate) clickhouse_pid: i32,
    /// The commit that is measured, for the report
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

    /// How that projector understands it, every other setting at its default.
    pub(crate) fn settings(&self, topic: &str, name: &str) -> Result<Settings> {
        settings(self.environment(topic, name))
    }
}

/// The projector's settings under this environment.
pub(crate) fn settings(environment: HashMap<String, String>) -> Result<Settings> {
    let source = Source::open::<Settings>(None, environment)?;
    Ok(Settings::read(&source)?)
}
