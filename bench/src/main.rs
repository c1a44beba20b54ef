//! The benchmarks of ESS on one machine: how fast the log is folded into the read model, beside its ceilings, how fresh the
//! read model is, how fast questions are answered from it, how fast facts
//! are taken, and for how long, and what the whole takes beside the predecessor. They speak to servers that the caller started (`cargo xtask bench`), and must never be pointed at servers
//! that anybody uses: they create and drop databases and topics whose names begin with `bench`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod ceiling;
mod decode;
mod error;
mod freshness;
mod http;
mod ingest;
mod kafka_engine;
mod machine;
mod median;
mod metrics;
mod modes;
mod predecessor;
mod projector;
mod query;
mod read_model;
mod recorder;
mod report;
mod run;
mod servers;
mod soak;
mod speed;
mod topic;
mod usage;
mod waiting;
mod workload;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;

use error::Result;

/// The projector's own allocator, so that decoding alone is measured under the same.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measure ESS on this machine.
#[derive(Parser)]
#[command(bin_name = "cargo xtask bench", version)]
struct CommandLine {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Events per second from the log into the read model, beside what bounds it
    Projector(speed::Args),
    /// How old a fact is when the read model has it, on an idle log and beside a hot playback
    Freshness(freshness::Args),
    /// How fast questions are answered from a large read model, beside what bounds them
    Query(query::Args),
    /// How fast facts are taken, beside a route that only parses them, and Kafka's own producer
    Ingest(ingest::Args),
    /// Whether memory, file handles and latencies stay flat while facts are taken for a while
    Soak(soak::Args),
    /// What the predecessor was tested with, beside its own figures, and the highest rate that holds the bounds
    Predecessor(predecessor::Args),
    /// The process that answers a constant
    #[command(hide = true)]
    Noop(http::noop::Args),
    /// The process that parses facts and forgets them
    #[command(hide = true)]
    Parse(ingest::parse::Args),
    /// The process that consumes and decodes alone
    #[command(hide = true)]
    Decode,
}

fn main() -> ExitCode {
    match run(CommandLine::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ess_parts::progress::note(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let runtime = Runtime::new()?;
    match task {
        Task::Projector(args) => runtime.block_on(speed::run(args)),
        Task::Freshness(args) => runtime.block_on(freshness::run(args)),
        Task::Query(args) => runtime.block_on(query::run(args)),
        Task::Predecessor(args) => runtime.block_on(predecessor::run(args)),
        Task::Ingest(args) => runtime.block_on(ingest::run(args)),
        Task::Soak(args) => runtime.block_on(soak::run(args)),
        Task::Parse(args) => runtime.block_on(ingest::parse::run(args)),
        Task::Noop(args) => runtime.block_on(http::noop::run(args)),
        Task::Decode => decode::run(),
    }
}
