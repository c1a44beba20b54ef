//! `cargo xtask`: the repository's tasks, from starting the system on one machine to the checks of CI. Talks to the
//! services as any client does, and links none of them: their first start waits for this program to be compiled.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a command-line tool prints to the terminal and reads its environment"
)]

mod bench;
mod cargo;
mod ci;
mod compose;
mod configuration;
mod down;
mod error;
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
mod tools;
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
    /// Start the system and leave it running; processes that already run are left alone.
    Up(up::UpArgs),
    /// Stop the system.
    Down(down::DownArgs),
    /// List the processes with their addresses and readiness.
    Status,
    /// Run every test against its own Kafka and ClickHouse.
    Test(test::TestArgs),
    /// Fuzz the request parsers; an input that breaks one is saved in fuzz/corpus/.
    Fuzz(fuzz::FuzzArgs),
    /// Run a benchmark against its own Kafka and ClickHouse; `bench help` lists the benchmarks.
    Bench(bench::BenchArgs),
    /// Run every check and every test, as the build server does.
    Ci(ci::CiArgs),
    /// Write docs/openapi/ from the services.
    Openapi(snapshot::SnapshotArgs),
    /// Write docs/CONFIGURATION.md from the keys that the services declare.
    Configuration(snapshot::SnapshotArgs),
    /// Write docs/asyncapi.yaml and docs/schemas/ from the types in schema/.
    Schemas(snapshot::SnapshotArgs),
    /// Check sizes, names, words, module cycles and the direction of dependencies.
    Tidy,
    /// Validate compose.yml with Docker Compose and against the services' configuration.
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
        Task::Ci(args) => ci::run(&args),
        Task::Openapi(args) => openapi::run(&args),
        Task::Configuration(args) => configuration::run(&args),
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
