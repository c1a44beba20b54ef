//! `bench projector`: fills a topic and runs every mode over it in alternation, so that a temporary disturbance of the machine affects
//! all of them.

use std::path::PathBuf;
use std::time::Duration;

use ess_parts::Scratch;
use ess_parts::progress::note;

use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::modes::ModeRunner;
use crate::recorder::Recorded;
use crate::report::{ProjectorReport, publish};
use crate::run::{Mode, Run};
use crate::servers::Servers;
use crate::{topic, workload};

const TOPIC: &str = "bench-projector";

/// Arguments of `projector`.
#[derive(Debug, clap::Args)]
pub(crate) struct ProjectorArgs {
    #[command(flatten)]
    servers: Servers,
    /// Events in the topic
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    events: u64,
    /// Rounds of each mode
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seed of the simulated events
    #[arg(long, default_value_t = 20_261_123)]
    seed: u64,
    /// The modes to measure, separated by commas
    #[arg(long, value_enum, value_delimiter = ',',
        default_values_t = [Mode::Projector, Mode::Ceiling, Mode::KafkaEngine, Mode::Decode])]
    modes: Vec<Mode>,
    /// Maximum seconds of the Kafka table engine in a round
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..))]
    engine_seconds: u64,
    /// Also write all measurements to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the benchmark.
///
/// # Errors
/// Any failure of a measurement, and modes that did not do the same work.
pub(crate) async fn run(args: ProjectorArgs) -> Result<()> {
    let machine = Machine::read(&args.servers).await?;
    let runner = fill(&args).await?;
    note("warm-up: running the projector once and recording its inserts for the ceiling");
    let sent = runner.record().await?;
    let mut runs = Vec::new();
    for round in 1..=args.rounds {
        for mode in &args.modes {
            runs.push(measure(&runner, *mode, round, &sent).await?);
        }
    }
    require_same_work(&runs)?;
    let report = ProjectorReport::new(machine, args.seed, runner.events(), runs);
    publish(&report, args.json.as_deref())
}

async fn fill(args: &ProjectorArgs) -> Result<ModeRunner> {
    let settings = args.servers.settings(TOPIC, "bench")?;
    topic::create(&settings).await?;
    note(&format!("filling {TOPIC} with {} events", args.events));
    let facts = workload::facts(args.seed, args.events)?;
    Ok(ModeRunner {
        ends: topic::fill(&settings, facts).await?,
        servers: args.servers.clone(),
        topic: TOPIC.to_owned(),
        engine_timeout: Duration::from_secs(args.engine_seconds),
        scratch: Scratch::new()?,
    })
}

async fn measure(runner: &ModeRunner, mode: Mode, round: u32, sent: &Recorded) -> Result<Run> {
    let run = runner.measure(mode, round, sent).await?;
    let (title, rate, seconds) = (mode.title(), run.rate(), run.took.as_secs_f64());
    note(&format!(
        "round {round}, {title}: {rate:.0} events/s, {} in {seconds:.2} s",
        run.events
    ));
    Ok(run)
}

/// Checks that all projectors and ceilings stored the same rows.
fn require_same_work(runs: &[Run]) -> Result<()> {
    let folds = runs
        .iter()
        .filter(|run| matches!(run.mode, Mode::Projector | Mode::Ceiling));
    let mut contents = folds.filter_map(|run| run.content.as_ref());
    let Some(first) = contents.next() else {
        return Ok(());
    };
    contents.try_for_each(|content| {
        if content == first {
            return Ok(());
        }
        Err(Error::message(format!(
            "the projector and the ceiling did not do the same work: {first:?} is not {content:?}"
        )))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::read_model::Content;
    use crate::usage::Cpu;

    fn run(mode: Mode, checksum: u64) -> Run {
        let content = Content {
            rows: 1_000,
            checksum,
            keys: BTreeMap::new(),
        };
        Run {
            mode,
            content: Some(content),
            ..Run::of_all(1_000, Cpu::default())
        }
    }

    #[test]
    fn a_ceiling_with_other_rows_is_an_error_and_an_engine_with_other_rows_is_not() {
        let (projector, engine) = (run(Mode::Projector, 7), run(Mode::KafkaEngine, 9));
        let same = [projector.clone(), run(Mode::Ceiling, 7), engine];
        assert!(require_same_work(&same).is_ok());
        assert!(require_same_work(&[projector, run(Mode::Ceiling, 8)]).is_err());
    }
}
