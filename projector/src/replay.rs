//! `projector replay`: builds the next generation from the log beside the active one, verifies it, and makes it the active one
//! in one step (I8). Run it again after an interruption. It must never send dead letters (I9).

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
    error::{ReplayError, describe_deleted},
    rebuild::{Rebuild, projected_offsets},
    verify::Scope,
};
use crate::{
    command::{self, print},
    config::Settings,
    kafka,
};

/// Options of `projector replay`.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a command-line flag")]
pub struct ReplayOptions {
    /// Stop after the verification; the next replay continues with the new generation and promotes it
    #[arg(long)]
    no_promote: bool,
    /// Build from the remaining messages when Kafka has deleted messages that the new generation needs
    #[arg(long)]
    allow_partial: bool,
    /// Promote the new generation although its events or aggregates differ from those of the active one
    #[arg(long)]
    accept_differences: bool,
    /// Drop the generation of an interrupted replay, and exit
    #[arg(long, conflicts_with_all = ["no_promote", "allow_partial", "accept_differences"])]
    discard: bool,
}

/// Replays the log into a generation with the tables of `schema`; returns the exit code of the process.
pub fn run(settings: &Settings, schema: Schema, options: &ReplayOptions) -> ExitCode {
    command::run(&settings.log, "replay", replay(settings, schema, options))
}

async fn replay(
    settings: &Settings,
    schema: Schema,
    options: &ReplayOptions,
) -> Result<(), ReplayError> {
    let clickhouse = &settings.clickhouse;
    let active = RetryPolicy::STARTUP
        .run("looking up the active generation", || {
            ensure_active(clickhouse, schema)
        })
        .await?;
    let lock = Lock::try_acquire(clickhouse, REBUILD_LOCK).await?;
    let work = async {
        if options.discard {
            return discard(settings).await;
        }
        // Another replay may have finished before this one got the lock.
        let active = active_generation(clickhouse).await?.unwrap_or(active);
        rebuild(settings, schema, options, active).await
    };
    lock.run(Box::pin(work)).await
}

async fn rebuild(
    settings: &Settings,
    schema: Schema,
    options: &ReplayOptions,
    active: u32,
) -> Result<(), ReplayError> {
    check_deleted(settings, options).await?;
    let (generation, is_new) = begin_generation(&settings.clickhouse, schema.generation).await?;
    let action = if is_new { "building" } else { "continuing" };
    print(&format!(
        "{action} generation {generation}; generation {active} is active"
    ));
    let rebuild = Rebuild {
        settings,
        active,
        generation,
        previous_group: None,
    };
    let work = make_active(&rebuild, options);
    rebuild.run_during(work).await
}

async fn make_active(rebuild: &Rebuild<'_>, options: &ReplayOptions) -> Result<(), ReplayError> {
    rebuild.catch_up().await?;
    rebuild.roll_up().await?;
    rebuild
        .verify(Scope::Aggregates, options.accept_differences)
        .await?;
    if options.no_promote {
        print(&format!(
            "generation {} is built and not promoted; `projector replay` continues with it and promotes it",
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
    print(&format!("generation {generation} is discarded"));
    Ok(())
}

/// Refuses a topic from which Kafka has deleted messages that the generation still needs: all messages for a new generation, the
/// rest for one that an earlier replay began.
async fn check_deleted(settings: &Settings, options: &ReplayOptions) -> Result<(), ReplayError> {
    let unfinished = unfinished(&generations(&settings.clickhouse).await?);
    let projected = match unfinished {
        Some(generation) => projected_offsets(settings, generation).await?,
        None => BTreeMap::new(),
    };
    let bounds = kafka::bounds(&settings.kafka).await?;
    let deleted = kafka::deleted(&bounds, &projected);
    if deleted.is_empty() {
        return Ok(());
    }
    let error = ReplayError::Truncated(deleted);
    if !options.allow_partial {
        return Err(error);
    }
    tracing::warn!("{error}");
    Ok(())
}
