//! `test`: every test of the workspace, against its own Kafka and ClickHouse, which end with this process however it ends.
//! Exits with cargo's exit code.

use std::process::ExitCode;

use ess_parts::progress::note;
use ess_parts::{ClickHouse, ClickHouseConfig, Kafka, KafkaConfig, Scratch, tools};

use crate::cargo::{self, command, status};
use crate::error::Result;
use crate::up::COMPILER;

/// Options of `test`.
#[derive(Default, clap::Args)]
pub(crate) struct TestArgs {
    /// Passed on to `cargo test --workspace --no-fail-fast`.
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

/// Every test.
pub(crate) fn run(args: &TestArgs) -> Result<ExitCode> {
    tools::require(&COMPILER)?;
    let parts = ess_parts::fetch()?;
    // The e2e tests run the services and the projector of a later version, which cargo test does not build for them.
    cargo::build_all()?;
    let args: Vec<&str> = ["test", "--workspace", "--no-fail-fast"]
        .into_iter()
        .chain(args.args.iter().map(String::as_str))
        .collect();

    let scratch = Scratch::new()?;
    let mut kafka = Kafka::start(&parts, KafkaConfig::attached(scratch.path()))?;
    let config = ClickHouseConfig::attached(scratch.path()).with_query_log();
    let mut clickhouse = ClickHouse::start(&parts, config)?;
    let (brokers, url) = (kafka.bootstrap(), clickhouse.http_url());
    note(&format!(
        "tests run against KAFKA_BROKERS={brokers} CLICKHOUSE_URL={url}"
    ));
    let ended = status(
        command(&args)
            .env("KAFKA_BROKERS", brokers)
            .env("CLICKHOUSE_URL", url),
    )?;
    clickhouse.stop()?;
    kafka.stop()?;
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
