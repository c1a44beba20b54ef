//! `bench ingest`: the rate of the command-api with one event and with many events a request, on a local broker. Each measurement
//! alternates with its yardstick in the same run: a route that parses the same body and discards it, and Kafka's own producer.

mod bodies;
mod figure;
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
use self::measure::IngestBench;
use self::report::IngestReport;
use crate::error::Result;
use crate::http::service::Service;
use crate::machine::Machine;
use crate::report::publish;
use crate::servers::Servers;
use crate::topic;

const NAME: &str = "bench_ingest";
const TOPIC: &str = "bench-ingest";
/// The topic of Kafka's own producer.
const YARDSTICK_TOPIC: &str = "bench-ingest-yardstick";

/// Arguments of `ingest`.
#[derive(Debug, clap::Args)]
pub(crate) struct IngestArgs {
    #[command(flatten)]
    servers: Servers,
    /// Duration of each measurement in seconds, after a second of warm-up
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Rounds; the report has the median of each figure
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=99))]
    rounds: u64,
    /// Records that Kafka's own producer sends in each round
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    records: u64,
    /// Also write all measurements to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the benchmark.
///
/// # Errors
/// Any failure of a measurement.
pub(crate) async fn run(args: IngestArgs) -> Result<()> {
    let machine = Machine::read(&args.servers).await?;
    let settings = args.servers.settings(TOPIC, NAME)?;
    topic::create(&settings).await?;
    topic::create(&args.servers.settings(YARDSTICK_TOPIC, NAME)?).await?;
    let jars = spawn_blocking(ess_parts::fetch).await??.kafka_jars;
    let scratch = Scratch::new()?;
    let environment = args.servers.environment(TOPIC, NAME);
    let api = Service::command_api(&environment, scratch.path()).await?;
    let parse = Service::parse(scratch.path()).await?;
    let mut bench = IngestBench {
        api: api.target.clone(),
        parse: parse.target.clone(),
        kafka: args.servers.kafka_pid,
        duration: Duration::from_secs(args.seconds),
        records: args.records,
        settings,
        yardstick: YARDSTICK_TOPIC,
        payloads: scratch.path().join("payloads.jsonl"),
        jars,
        runs: 0,
    };
    bench.write_payloads()?;
    bench.warm_up().await?;
    let mut report = IngestReport::new(machine, args.seconds);
    for round in 1..=args.rounds {
        note(&format!("round {round} of {}", args.rounds));
        bench.round(&mut report).await?;
    }
    api.stop()?;
    parse.stop()?;
    publish(&report, args.json.as_deref())
}
