//! `test`: every test of the workspace, against its own Kafka and ClickHouse, which end with this process however it ends.
//! Exits with cargo's exit code.

use std::env;
use std::process::ExitCode;
use std::thread;

use ess_parts::progress::note;
use ess_parts::{ClickHouse, ClickHouseConfig, Kafka, KafkaConfig, Scratch, tools};

use crate::cargo::{self, command, status};
use crate::error::Result;
use crate::up::COMPILER;

/// libtest's own setting.
const TEST_THREADS: &str = "RUST_TEST_THREADS";

/// An e2e test mostly waits: for a process to start, a batch to be stored, a session to time out.
const TESTS_PER_CORE: usize = 2;

/// Options of `test`.
#[derive(Default, clap::Args)]
pub(crate) struct TestArgs {
    /// Arguments for `cargo test --workspace --no-fail-fast`.
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
    let mut tests = command(&args);
    tests
        .env("KAFKA_BROKERS", brokers)
        .env("CLICKHOUSE_URL", url);
    if env::var_os(TEST_THREADS).is_none() {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        tests.env(TEST_THREADS, (TESTS_PER_CORE * cores).to_string());
    }
    let ended = status(&mut tests)?;
    clickhouse.stop()?;
    kafka.stop()?;
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
