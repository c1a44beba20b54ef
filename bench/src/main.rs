//! The benchmarks of ESS on one machine: projecting, freshness, queries, ingestion, a soak, and the predecessor's load test.
//! Never run them against servers that are in use: they create and drop databases and topics whose names start with `bench`.
//! `cargo xtask bench` starts servers of its own.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod ceiling;
mod clock;
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

/// The allocator of the projector, so that decoding is measured with the same one.
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
    /// Events per second from Kafka into the read model, compared with upper bounds
    Projector(speed::ProjectorArgs),
    /// Age of an event when the read model has it, on an idle topic and beside a hot playback
    Freshness(freshness::FreshnessArgs),
    /// Latency and rate of queries on a large read model, compared with yardsticks
    Query(query::QueryArgs),
    /// Rate of ingestion, compared with a route that only parses events and with Kafka's own producer
    Ingest(ingest::IngestArgs),
    /// Whether memory, file handles and latencies stay flat during ingestion
    Soak(soak::SoakArgs),
    /// The predecessor's load test compared with its own figures, and the highest rate that meets the bounds
    Predecessor(predecessor::PredecessorArgs),
    /// The process that returns a constant
    #[command(hide = true)]
    Noop(http::noop::NoopArgs),
    /// The process that parses events and discards them
    #[command(hide = true)]
    Parse(ingest::parse::ParseArgs),
    /// The process that only consumes and decodes
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
