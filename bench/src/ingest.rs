//! `bench ingest`: how fast the command-api takes facts, one a request and many, on a broker beside it. Each is measured beside its
//! yardstick in the same run, alternating: a route that parses the same body and forgets it, and Kafka's own producer.

mod bodies;
mod measure;
pub(crate) mod parse;
mod producer;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use ess_parts::Scratch;
use ess_parts::progress::note;
use tokio::task::spawn_blocking;

pub(crate) use self::bodies::single;
use self::measure::Bench;
use self::report::Report;
use crate::error::Result;
use crate::http::service::Service;
use crate::machine::Machine;
use crate::report::publish;
use crate::servers::Servers;
use crate::topic;

const NAME: &str = "bench_ingest";
const TOPIC: &str = "bench-ingest";
/// Kafka's own producer has a log of its own.
const YARDSTICK_TOPIC: &str = "bench-ingest-yardstick";

/// What `ingest` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    servers: Servers,
    /// How long each measurement lasts, after a second of warming up
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Rounds; of each figure the median is told
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=99))]
    rounds: u64,
    /// Records that Kafka's own producer sends in each round
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    records: u64,
    /// Also write everything measured to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Measures.
///
/// # Errors
/// Whatever keeps a figure from being measured.
pub(crate) async fn run(args: Args) -> Result<()> {
    let machine = Machine::read(&args.servers).await?;
    let settings = args.servers.settings(TOPIC, NAME)?;
    topic::create(&settings).await?;
    topic::create(&args.servers.settings(YARDSTICK_TOPIC, NAME)?).await?;
    let jars = spawn_blocking(ess_parts::fetch).await??.kafka_jars;
    let scratch = Scratch::new()?;
    let environment = args.servers.environment(TOPIC, NAME);
    let api = Service::command_api(&environment, scratch.path()).await?;
    let parse = Service::parse(scratch.path()).await?;
    let mut bench = Bench {
        api: api.target.clone(),
        parse: parse.target.clone(),
        kafka: args.servers.kafka_pid,
        lasting: Duration::from_secs(args.seconds),
        records: args.records,
        settings,
        yardstick: YARDSTICK_TOPIC,
        payloads: scratch.path().join("payloads.jsonl"),
        jars,
        runs: 0,
    };
    bench.write_payloads()?;
    bench.warm_up().await?;
    let mut report = Report::new(machine, args.seconds);
    for round in 1..=args.rounds {
        note(&format!("round {round} of {}", args.rounds));
        bench.round(&mut report).await?;
    }
    api.stop()?;
    parse.stop()?;
    publish(&report, args.json.as_deref())
}
