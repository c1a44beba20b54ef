//! `projector replay`: builds the next generation from the log beside the active one, verifies it, and makes it the active
//! one without a reader noticing (I8). Nothing leaves the system because of it (I9). Killed at any moment, it is run again.

mod error;
mod handover;
mod log;
mod told;
mod verify;

use std::{collections::BTreeMap, io::Write as _, process::ExitCode, sync::Arc, time::Duration};

use clap::Args;
use ess_schema::migrations::Schema;
use ess_service::{
    clickhouse::{
        Lock, REBUILD, active_generation, begin_generation, discard_generation, ensure_active,
        generation as generation_client, generations, unfinished,
    },
    retry::RetryPolicy,
    telemetry::start_log,
};
use tokio::{runtime::Runtime, time::sleep};
use tokio_util::sync::CancellationToken;

use self::{error::ReplayError, told::Told, verify::Verdict};
use crate::{
    config::Settings,
    offsets::Offsets,
    pipeline::{Pipeline, Target},
    progress::Progress,
    vitals::Vitals,
};

/// Between two looks at how far it has come.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Live traffic makes differences that are gone at the next look.
const LOOKS_BEFORE_BELIEVING: usize = 5;

/// What a replay is asked for.
#[derive(Debug, Clone, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Options {
    /// Stop after the verification; the new generation is kept, and the next replay goes on with it
    #[arg(long)]
    no_promote: bool,
    /// Build from what is left of a log that has lost messages which are still to be folded
    #[arg(long)]
    allow_partial: bool,
    /// Promote although the new generation holds other events than the active one
    #[arg(long)]
    accept_differences: bool,
    /// Drop the generation that an interrupted replay left, and end
    #[arg(long, conflicts_with_all = ["no_promote", "allow_partial", "accept_differences"])]
    discard: bool,
}

/// Replays as asked into a generation made as `schema` says; returns what to exit with.
pub fn run(settings: &Settings, schema: Schema, options: &Options) -> ExitCode {
    let replayed = start_log(&settings.log)
        .map_err(ReplayError::from)
        .and_then(|()| Runtime::new()?.block_on(replay(settings, schema, options)));
    match replayed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("replay: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A generation being built.
struct Rebuild<'s> {
    settings: &'s Settings,
    active: u32,
    generation: u32,
}

async fn replay(settings: &Settings, schema: Schema, options: &Options) -> Result<(), ReplayError> {
    let clickhouse = &settings.clickhouse;
    let active = RetryPolicy::STARTUP
        .run("looking at the read model", || {
            ensure_active(clickhouse, schema)
        })
        .await?;
    let lock = Lock::try_acquire(clickhouse, REBUILD).await?;
    let work = async {
        if options.discard {
            return discard(settings).await;
        }
        // Another replay may have ended just before.
        let active = active_generation(clickhouse).await?.unwrap_or(active);
        rebuild(settings, schema, options, active).await
    };
    lock.holding(Box::pin(work)).await
}

async fn rebuild(
    settings: &Settings,
    schema: Schema,
    options: &Options,
    active: u32,
) -> Result<(), ReplayError> {
    refuse_partial(settings, options).await?;
    let (generation, new) = begin_generation(&settings.clickhouse, schema.generation).await?;
    let how = if new { "begins" } else { "goes on" };
    say(&format!(
        "generation {generation} {how}; {active} is active"
    ));
    let rebuild = Rebuild {
        settings,
        active,
        generation,
    };
    let stopping = CancellationToken::new();
    let folding = rebuild.pipeline()?.run(stopping.clone());
    tokio::pin!(folding);
    tokio::select! {
        ended = &mut folding => return Err(ended.err().map_or(ReplayError::Ended, Into::into)),
        brought = rebuild.bring_live(options) => brought?,
    }
    stopping.cancel();
    Ok(folding.await?)
}

async fn discard(settings: &Settings) -> Result<(), ReplayError> {
    let known = generations(&settings.clickhouse).await?;
    let generation = unfinished(&known).ok_or(ReplayError::NothingToDiscard)?;
    discard_generation(&settings.clickhouse, generation).await?;
    for group in [
        replay_group(settings, generation),
        settings.projector.group_of(generation),
    ] {
        log::delete_group(&settings.kafka, &group).await?;
    }
    say(&format!("generation {generation} is discarded"));
    Ok(())
}

/// Refuses a log that has lost what is still to be folded: all of it for a new generation, the rest for one begun.
async fn refuse_partial(settings: &Settings, options: &Options) -> Result<(), ReplayError> {
    let begun = unfinished(&generations(&settings.clickhouse).await?);
    let held = match begun {
        Some(generation) => held(settings, generation).await?,
        None => BTreeMap::new(),
    };
    let lost = log::lost(&log::bounds(&settings.kafka).await?, &held);
    if lost.is_empty() {
        return Ok(());
    }
    let truncated = ReplayError::Truncated(lost);
    if !options.allow_partial {
        return Err(truncated);
    }
    tracing::warn!("{truncated}");
    Ok(())
}

/// The rebuild's own consumer group: it keeps its place, and the live projectors keep theirs.
fn replay_group(settings: &Settings, generation: u32) -> String {
    format!("{}-replay", settings.projector.group_of(generation))
}

impl Rebuild<'_> {
    fn pipeline(&self) -> Result<Pipeline, ReplayError> {
        let target = Target {
            generation: self.generation,
            group: replay_group(self.settings, self.generation),
            predecessor: None,
            sends_dead_letters: false,
        };
        let (offsets, vitals) = (Arc::<Offsets>::default(), Arc::<Vitals>::default());
        Ok(Pipeline::build(
            self.settings.clone(),
            target,
            offsets,
            vitals,
        )?)
    }

    async fn bring_live(&self, options: &Options) -> Result<(), ReplayError> {
        self.catch_up().await?;
        self.verify(options).await?;
        if options.no_promote {
            say(&format!(
                "generation {} is kept; `projector replay` goes on with it and promotes it",
                self.generation
            ));
            return Ok(());
        }
        handover::promote(self).await
    }

    /// Folds up to the log's end as it is now, then to the end that this took it to.
    async fn catch_up(&self) -> Result<(), ReplayError> {
        for _ in 0..2 {
            let bounds = log::bounds(&self.settings.kafka).await?;
            let ends = bounds.iter().filter(|(_, at)| at.high > at.low);
            let ends = ends.map(|(partition, at)| (*partition, at.high)).collect();
            self.reach(&ends).await?;
        }
        Ok(())
    }

    /// Waits until the new generation holds everything below these offsets, and tells how far it is.
    async fn reach(&self, ends: &BTreeMap<u16, u64>) -> Result<(), ReplayError> {
        let total: u64 = ends.values().sum();
        let mut told = Told::new(total);
        loop {
            let held = self.held(self.generation).await?;
            let each = ends.iter();
            let reached: u64 = each.map(|(p, end)| held_of(&held, *p).min(*end)).sum();
            told.at(reached);
            if reached == total {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn held(&self, generation: u32) -> Result<BTreeMap<u16, u64>, ReplayError> {
        held(self.settings, generation).await
    }

    async fn verify(&self, options: &Options) -> Result<(), ReplayError> {
        let mut verdict = self.compare().await?;
        for _ in 1..LOOKS_BEFORE_BELIEVING {
            if verdict.differences.is_empty() {
                break;
            }
            sleep(LOOK_EVERY).await;
            verdict = self.compare().await?;
        }
        let Verdict {
            events,
            differences,
        } = verdict;
        if differences.is_empty() {
            say(&match events {
                0 => "the active generation is empty: nothing could be compared".to_owned(),
                _ => format!("verified: {events} events, the same in both generations"),
            });
            return Ok(());
        }
        say(&verify::table(&differences));
        if options.accept_differences {
            say("the differences are accepted, as asked");
            return Ok(());
        }
        Err(ReplayError::Differs {
            generation: self.generation,
            partitions: differences.len(),
        })
    }

    /// Compares both generations from where the log begins to where both have come.
    async fn compare(&self) -> Result<Verdict, ReplayError> {
        let bounds = log::bounds(&self.settings.kafka).await?;
        let (active, rebuilt) = (
            self.held(self.active).await?,
            self.held(self.generation).await?,
        );
        let ranges = bounds.iter().map(|(partition, at)| {
            let both = held_of(&active, *partition).min(held_of(&rebuilt, *partition));
            (*partition, at.low..both)
        });
        let client = |generation| generation_client(&self.settings.clickhouse, generation);
        let clients = [&client(self.active), &client(self.generation)];
        Ok(verify::compare(clients, &ranges.collect()).await?)
    }
}

/// How far a generation has been folded.
async fn held(settings: &Settings, generation: u32) -> Result<BTreeMap<u16, u64>, ReplayError> {
    let client = generation_client(&settings.clickhouse, generation);
    let progress = Progress::new(client, Arc::default());
    let read = || progress.read();
    Ok(RetryPolicy::STARTUP.run("reading progress", read).await?)
}

fn held_of(held: &BTreeMap<u16, u64>, partition: u16) -> u64 {
    held.get(&partition).copied().unwrap_or_default()
}

/// Results go to standard output; a reader who has gone is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{}", line.trim_end());
}
