//! `projector promote N`: makes an earlier active generation the active one again. Like a replay, it brings the generation up to
//! date first, so that no reader sees an older value.

use std::process::ExitCode;

use clap::Args;
use ess_schema::migrations::Schema;
use ess_service::{
    clickhouse::{
        GenerationState, Lock, REBUILD_LOCK, active_generation, ensure_active, generations,
    },
    retry::RetryPolicy,
};

use super::error::{GenerationError, require_finished};
use crate::{
    command,
    config::Settings,
    kafka,
    replay::{Rebuild, Scope, projected_offsets},
};

/// Options of `projector promote`.
#[derive(Debug, Clone, Args)]
pub struct PromoteOptions {
    /// The number of the generation; `projector generations` lists them
    generation: u32,
    /// Promote the generation although its events differ from those of the active one
    #[arg(long)]
    accept_differences: bool,
}

/// Promotes the generation; returns the exit code of the process.
pub fn run(settings: &Settings, schema: Schema, options: &PromoteOptions) -> ExitCode {
    command::run(&settings.log, "promote", promote(settings, schema, options))
}

async fn promote(
    settings: &Settings,
    schema: Schema,
    options: &PromoteOptions,
) -> Result<(), GenerationError> {
    let clickhouse = &settings.clickhouse;
    let active = RetryPolicy::STARTUP
        .run("looking up the active generation", || {
            ensure_active(clickhouse, schema)
        })
        .await?;
    let lock = Lock::try_acquire(clickhouse, REBUILD_LOCK).await?;
    let work = async {
        // Another promotion may have finished before this one got the lock.
        let active = active_generation(clickhouse).await?.unwrap_or(active);
        bring_back(settings, options, active).await
    };
    lock.run(Box::pin(work)).await
}

async fn bring_back(
    settings: &Settings,
    options: &PromoteOptions,
    active: u32,
) -> Result<(), GenerationError> {
    let generation = options.generation;
    let known = generations(&settings.clickhouse).await?;
    if require_finished(&known, generation)?.state == GenerationState::Active {
        return Err(GenerationError::AlreadyActive(generation));
    }
    let rebuild = Rebuild {
        settings,
        active,
        generation,
        previous_group: Some(settings.projector.group_of(generation)),
    };
    let bounds = kafka::bounds(&settings.kafka).await?;
    let projected = projected_offsets(settings, generation).await?;
    let deleted = kafka::deleted(&bounds, &projected);
    if !deleted.is_empty() {
        return Err(GenerationError::MessagesDeleted {
            generation,
            deleted,
        });
    }
    let make_active = async {
        rebuild.catch_up().await?;
        rebuild.roll_up().await?;
        // Its aggregates may differ: they may be of an older schema.
        rebuild
            .verify(Scope::Events, options.accept_differences)
            .await?;
        rebuild.promote().await
    };
    Ok(rebuild.run_during(make_active).await?)
}
