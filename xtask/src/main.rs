//! `cargo xtask`: everything that is done to this repository rather than by it, from starting the system on one machine
//! to the checks of the build server. Speaks to the services as any user would; links none of them.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a command-line tool talks to the terminal and reads its environment"
)]

mod bench;
mod cargo;
mod ci;
mod compose;
mod down;
mod error;
mod files;
mod fuzz;
mod health;
mod openapi;
mod run_dir;
mod schemas;
mod snapshot;
mod status;
mod system;
mod test;
mod tidy;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use error::Result;

/// Start, stop, test and check ESS on one machine.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Start the whole system and leave it running; start only what is missing when part of it runs.
    Up(up::Args),
    /// Stop the system.
    Down(down::Args),
    /// Say what runs, where, and whether it is ready.
    Status,
    /// Run every test, against a Kafka and a ClickHouse of its own.
    Test(test::Args),
    /// Hand arbitrary bytes to everything that reads what callers send; what breaks it is kept in fuzz/corpus/.
    Fuzz(fuzz::Args),
    /// Measure, against a Kafka and a ClickHouse of its own; `bench help` tells what and how.
    Bench(bench::Args),
    /// Run every check and every test, as the build server does.
    Ci,
    /// Write docs/openapi/ from the services.
    Openapi(snapshot::Args),
    /// Write docs/asyncapi.yaml and docs/schemas/ from the types in schema/.
    Schemas(snapshot::Args),
    /// Check file sizes, names, words and the direction of dependencies.
    Tidy,
    /// Check compose.yml against the specification and against the services' configuration.
    ComposeCheck,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Up(args) => up::run(&args),
        Task::Down(args) => down::run(&args),
        Task::Status => status::run(),
        Task::Test(args) => return exit(test::run(&args)),
        Task::Bench(args) => return exit(bench::run(&args)),
        Task::Fuzz(args) => return exit(fuzz::run(&args)),
        Task::Ci => ci::run(),
        Task::Openapi(args) => openapi::run(&args),
        Task::Schemas(args) => schemas::run(&args),
        Task::Tidy => tidy::run(),
        Task::ComposeCheck => compose::run(),
    };
    exit(done.map(|()| ExitCode::SUCCESS))
}

fn exit(done: Result<ExitCode>) -> ExitCode {
    done.unwrap_or_else(|error| {
        ess_parts::progress::note(&format!("error: {error}"));
        ExitCode::FAILURE
    })
}
