//! `fuzz`: the fuzz targets, for longer than the few seconds that they take as tests. It only runs cargo test.

use std::process::ExitCode;

use ess_parts::tools;

use crate::cargo::{command, status};
use crate::error::Result;
use crate::up::COMPILER;

/// Options of `fuzz`.
#[derive(clap::Args)]
pub(crate) struct FuzzArgs {
    /// How long each target runs
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Seed of the random inputs; a new one for each run by default
    #[arg(long)]
    seed: Option<u64>,
    /// Only targets with this in their name
    #[arg(default_value = "fuzz::")]
    target: String,
}

/// Every target, as tests are built: with overflow checks and debug assertions.
pub(crate) fn run(args: &FuzzArgs) -> Result<ExitCode> {
    tools::require(&COMPILER)?;
    let mut test = command(&[
        "test",
        "--lib",
        "-p",
        "ess-command-api",
        "-p",
        "ess-query-api",
    ]);
    test.args(["--", "--nocapture", &args.target])
        .env("ESS_FUZZ_SECONDS", args.seconds.to_string());
    if let Some(seed) = args.seed {
        test.env("ESS_FUZZ_SEED", seed.to_string());
    }
    let code = status(&mut test)?
        .code()
        .and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
