//! `projector promote N`: makes a generation that was active once the active one again. It is brought up to date first, as by
//! a replay, so that no reader sees an older value.

use std::process::ExitCode;

use clap::Args;
use ess_schema::migrations::Schema;
use ess_service::{
    clickhouse::{
        GenerationState, Lock, REBUILD_LOCK, active_generation, ensure_active, generations,
    },
    retry::RetryPolicy,
};

use super::error::{Refusal, finished};
use crate::{
    command,
    config::Settings,
    kafka,
    replay::{Rebuild, Scope, held},
};

/// What is promoted, and on what terms.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The generation's number, as `projector generations` tells it
    generation: u32,
    /// Promote it although it holds other events than the active one
    #[arg(long)]
    accept_differences: bool,
}

/// Promotes it; returns what to exit with.
pub fn run(settings: &Settings, schema: Schema, options: &Options) -> ExitCode {
    command::run(&settings.log, "promote", promote(settings, schema, options))
}

async fn promote(settings: &Settings, schema: Schema, options: &Options) -> Result<(), Refusal> {
    let clickhouse = &settings.clickhouse;
    let active = RetryPolicy::STARTUP
        .run("looking at the read model", || {
            ensure_active(clickhouse, schema)
        })
        .await?;
    let lock = Lock::try_acquire(clickhouse, REBUILD_LOCK).await?;
    let work = async {
        // Another promotion may have ended just before.
        let active = active_generation(clickhouse).await?.unwrap_or(active);
        bring_back(settings, options, active).await
    };
    lock.run(Box::pin(work)).await
}

async fn bring_back(settings: &Settings, options: &Options, active: u32) -> Result<(), Refusal> {
    let generation = options.generation;
    let known = generations(&settings.clickhouse).await?;
    if finished(&known, generation)?.state == GenerationState::Active {
        return Err(Refusal::AlreadyActive(generation));
    }
    let rebuild = Rebuild {
        settings,
        active,
        generation,
        predecessor: Some(settings.projector.group_of(generation)),
    };
    let bounds = kafka::bounds(&settings.kafka).await?;
    let lost = kafka::lost(&bounds, &held(settings, generation).await?);
    if !lost.is_empty() {
        return Err(Refusal::BehindTheLog { generation, lost });
    }
    let bring_live = async {
        rebuild.catch_up().await?;
        rebuild.roll_up().await?;
        // What it made of the events may differ on purpose: it may be of an older schema.
        rebuild
            .verify(Scope::Events, options.accept_differences)
            .await?;
        rebuild.promote().await
    };
    Ok(rebuild.folding(bring_live).await?)
}
