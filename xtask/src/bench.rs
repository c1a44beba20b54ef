//! `bench`: builds the services as images do, starts a Kafka and a ClickHouse that end with this process, and runs
//! ess-bench. It measures nothing itself.

use std::process::{Command, ExitCode, Stdio};

use ess_parts::{ClickHouse, ClickHouseConfig, Kafka, KafkaConfig, Scratch, project_root, tools};

use crate::cargo::{self, Metadata, Profile, status};
use crate::error::Result;
use crate::up::{COMPILER, PARTS};

/// Options of `bench`.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct BenchArgs {
    /// Passed on to ess-bench.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// One benchmark.
pub(crate) fn run(args: &BenchArgs) -> Result<ExitCode> {
    tools::require(&COMPILER)?;
    let binaries = [
        "ess-bench",
        "command-api",
        "ess-load",
        "projector",
        "query-api",
    ];
    // This program starts the servers, and ess-bench the services: each needs the parts' binaries beside it.
    cargo::build_binaries(&PARTS, Profile::Dev)?;
    cargo::build_binaries(&[&PARTS[..], &binaries].concat(), Profile::Dist)?;
    let mut bench = Command::new(Metadata::read()?.binary("ess-bench", Profile::Dist));
    bench.args(&args.args).stdin(Stdio::null());

    let parts = ess_parts::fetch()?;
    let scratch = Scratch::new()?;
    let mut kafka = Kafka::start(&parts, KafkaConfig::attached(scratch.path()))?;
    let mut clickhouse = ClickHouse::start(&parts, ClickHouseConfig::attached(scratch.path()))?;
    bench
        .env("KAFKA_BROKERS", kafka.bootstrap())
        .env("CLICKHOUSE_URL", clickhouse.http_url())
        .env("ESS_BENCH_KAFKA_PID", kafka.pid().to_string())
        .env("ESS_BENCH_CLICKHOUSE_PID", clickhouse.pid().to_string())
        .env("ESS_BENCH_COMMIT", commit());
    let ended = status(&mut bench)?;
    clickhouse.stop()?;
    kafka.stop()?;
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The measured commit, `…-dirty` with uncommitted changes; empty outside a git repository.
fn commit() -> String {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty", "--abbrev=12"])
        .current_dir(project_root());
    let output = git.output().map(|output| output.stdout);
    String::from_utf8_lossy(&output.unwrap_or_default())
        .trim()
        .to_owned()
}
