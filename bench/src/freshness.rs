//! `bench freshness`: the age of an event when the read model has it. First on an idle topic, one event at a time; then at a steady
//! rate, alone and beside one playback with 100,000 events. Ages are `store_time`, which ClickHouse sets, minus `ingest_time`.

mod ages;
mod phases;

use std::fmt;
use std::path::PathBuf;

use ess_parts::Scratch;
use ess_parts::progress::note;
use serde::Serialize;

use crate::error::Result;
use crate::machine::Machine;
use crate::projector::Projector;
use crate::read_model::ReadModel;
use crate::report::{publish, table, thousands};
use crate::servers::Servers;
use crate::topic::{self, Writer};

use ages::Ages;
use phases::{Load, Phases};

const NAME: &str = "bench_freshness";
const TOPIC: &str = "bench-freshness";

/// Arguments of `freshness`.
#[derive(Debug, clap::Args)]
pub(crate) struct FreshnessArgs {
    #[command(flatten)]
    servers: Servers,
    /// Events that are appended one at a time
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// Events of the hot playback, evenly over its phase
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    hot_events: u64,
    /// Events of other playbacks per second
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    rate: u64,
    /// Duration of the steady phase in seconds, alone and again beside the hot playback
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Seed of all random numbers
    #[arg(long, default_value_t = 20_261_123)]
    seed: u64,
    /// Also write all measurements to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// The report of `bench freshness`.
#[derive(Debug, Serialize)]
struct FreshnessReport {
    machine: Machine,
    seed: u64,
    phases: Vec<(String, Ages)>,
}

/// Runs the benchmark.
///
/// # Errors
/// Any failure of a measurement.
pub(crate) async fn run(args: FreshnessArgs) -> Result<()> {
    let machine = Machine::read(&args.servers).await?;
    let settings = args.servers.settings(TOPIC, NAME)?;
    topic::create(&settings).await?;
    let scratch = Scratch::new()?;
    let environment = args.servers.environment(TOPIC, NAME);
    let projector = Projector::start(&environment, scratch.path())?;
    let model = ReadModel::new(&args.servers.clickhouse_url, NAME);
    let phases = Phases::begin(Writer::new(&settings)?, model.clone(), args.seed).await?;
    let measured = measure(&args, phases).await;
    projector.stop()?;
    let phases = measured?;
    model.drop_databases().await?;
    let report = FreshnessReport {
        machine,
        seed: args.seed,
        phases,
    };
    publish(&report, args.json.as_deref())
}

async fn measure(args: &FreshnessArgs, mut phases: Phases) -> Result<Vec<(String, Ages)>> {
    let steady = Load {
        seconds: args.seconds,
        rate: args.rate,
    };
    note(&format!("{} events, one at a time", args.events));
    let (stored, readable) = phases.idle(args.events).await?;
    note(&format!("{} events/s for {} s", args.rate, args.seconds));
    let alone = phases.alone(steady).await?;
    note("the same beside a hot playback");
    let beside = phases.beside(steady, args.hot_events).await?;
    let (rate, hot) = (args.rate, thousands(args.hot_events as f64));
    Ok(vec![
        ("idle topic, ingest to store".to_owned(), stored),
        ("idle topic, ingest to readable".to_owned(), readable),
        (format!("{rate}/s alone, ingest to store"), alone),
        (
            format!("{rate}/s beside one playback of {hot}, ingest to store"),
            beside,
        ),
    ])
}

impl fmt::Display for FreshnessReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.machine.lines() {
            writeln!(f, "{line}")?;
        }
        let mut table = table(&["age in ms", "events", "median", "90 %", "99 %", "max"]);
        for (phase, ages) in &self.phases {
            let ages = ages.columns().map(|value| value.to_string());
            table.add_row([phase.clone()].into_iter().chain(ages));
        }
        writeln!(f, "seed {}\n\n{table}", self.seed)
    }
}
