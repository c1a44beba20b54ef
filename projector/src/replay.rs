//! `projector replay`: builds the next generation from the log beside the active one, verifies it, and makes it the active
//! one without a reader noticing (I8). Nothing leaves the system because of it (I9). Killed at any moment, it is run again.

mod error;
mod handover;
mod identities;
mod merged;
mod progress;
mod rebuild;
mod sample;
mod verify;

use std::{collections::BTreeMap, process::ExitCode};

use clap::Args;
use ess_schema::migrations::Schema;
use ess_service::{
    clickhouse::{
        Lock, REBUILD_LOCK, active_generation, begin_generation, discard_generation, ensure_active,
        generations, unfinished,
    },
    retry::RetryPolicy,
};

pub(crate) use self::{
    error::{ReplayError, missing},
    rebuild::{Rebuild, held},
    verify::Scope,
};
use crate::{
    command::{self, say},
    config::Settings,
    kafka,
};

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
    /// Promote although the new generation holds other events or aggregates than the active one
    #[arg(long)]
    accept_differences: bool,
    /// Drop the generation that an interrupted replay left, and end
    #[arg(long, conflicts_with_all = ["no_promote", "allow_partial", "accept_differences"])]
    discard: bool,
}

/// Replays as asked into a generation made as `schema` says; returns what to exit with.
pub fn run(settings: &Settings, schema: Schema, options: &Options) -> ExitCode {
    command::run(&settings.log, "replay", replay(settings, schema, options))
}

async fn replay(settings: &Settings, schema: Schema, options: &Options) -> Result<(), ReplayError> {
    let clickhouse = &settings.clickhouse;
    let active = RetryPolicy::STARTUP
        .run("looking at the read model", || {
            ensure_active(clickhouse, schema)
        })
        .await?;
    let lock = Lock::try_acquire(clickhouse, REBUILD_LOCK).await?;
    let work = async {
        if options.discard {
            return discard(settings).await;
        }
        // Another replay may have ended just before.
        let active = active_generation(clickhouse).await?.unwrap_or(active);
        rebuild(settings, schema, options, active).await
    };
    lock.run(Box::pin(work)).await
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
        predecessor: None,
    };
    rebuild.folding(bring_live(&rebuild, options)).await
}

async fn bring_live(rebuild: &Rebuild<'_>, options: &Options) -> Result<(), ReplayError> {
    rebuild.catch_up().await?;
    rebuild.roll_up().await?;
    rebuild
        .verify(Scope::Aggregates, options.accept_differences)
        .await?;
    if options.no_promote {
        say(&format!(
            "generation {} is kept; `projector replay` goes on with it and promotes it",
            rebuild.generation
        ));
        return Ok(());
    }
    rebuild.promote().await
}

async fn discard(settings: &Settings) -> Result<(), ReplayError> {
    let known = generations(&settings.clickhouse).await?;
    let generation = unfinished(&known).ok_or(ReplayError::NothingToDiscard)?;
    discard_generation(&settings.clickhouse, generation).await?;
    for group in settings.projector.groups_of(generation) {
        kafka::delete_group(&settings.kafka, &group).await?;
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
    let lost = kafka::lost(&kafka::bounds(&settings.kafka).await?, &held);
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
