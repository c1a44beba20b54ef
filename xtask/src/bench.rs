//! `bench`: builds what is measured as images are built, starts a Kafka and a ClickHouse that end with this process, and lets
//! ess-bench measure. It measures nothing itself.

use std::process::{Command, ExitCode, Stdio};

use ess_parts::{ClickHouse, ClickHouseConfig, Kafka, KafkaConfig, Scratch, project_root, tools};

use crate::cargo::{self, Metadata, Profile, status};
use crate::error::Result;
use crate::up::COMPILER;

/// What `bench` can be told.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Passed on to ess-bench.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// One benchmark.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    tools::require(&COMPILER)?;
    let packages = [
        "ess-bench",
        "ess-command-api",
        "ess-load",
        "ess-parts",
        "ess-projector",
        "ess-query-api",
    ];
    let packages = packages.map(|package| ["-p", package]);
    // The servers are started by this program's own profile, the services by ess-bench's.
    cargo::build(&["-p", "ess-parts"])?;
    cargo::build(&[&["--profile", "dist"][..], packages.as_flattened()].concat())?;
    let mut bench = Command::new(Metadata::read()?.binary("ess-bench", Profile::Dist)?);
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

/// What is measured, `…-dirty` with changes that are not committed; empty where git does not know.
fn commit() -> String {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty", "--abbrev=12"])
        .current_dir(project_root());
    let output = git.output().map(|output| output.stdout);
    String::from_utf8_lossy(&output.unwrap_or_default())
        .trim()
        .to_owned()
}
