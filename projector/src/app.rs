//! `projector run`: health first, then tables, then the pipeline. Parts that are not there yet are waited for, visibly.

use std::{process::ExitCode, sync::Arc};

use ess_schema::migrations::{CONTROL, GENERATION};
use ess_service::{
    clickhouse::{ReadModelError, ensure_active},
    config::ClickHouseConfig,
    http::Paths,
    process::{self, Process, StartError},
};
use poem::Route;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Settings,
    measure,
    offsets::Offsets,
    patience::until_decided,
    pipeline::{Pipeline, PipelineError},
    readiness,
    vitals::{Stage, Vitals},
};

/// Folds the log into the active generation until told to stop; returns what to exit with.
pub fn run(settings: Settings) -> ExitCode {
    let (log, shutdown) = (settings.log.clone(), settings.shutdown.clone());
    process::run(&log, &shutdown, async |process| {
        start(process, settings).await
    })
}

#[derive(Debug, thiserror::Error)]
enum ProjectorError {
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

async fn start(process: &mut Process, settings: Settings) -> Result<(), StartError> {
    measure::describe();
    let (vitals, offsets) = (Arc::new(Vitals::default()), Arc::new(Offsets::default()));
    process
        .serve(&settings.http, Route::new(), Paths::default())
        .await?;
    let readiness = readiness::watch(
        process.health.clone(),
        Arc::clone(&offsets),
        Arc::clone(&vitals),
        settings.projector.stall_after,
        process.stopping(),
    );
    process.spawn("readiness", readiness);
    let fold = fold(settings, offsets, vitals, process.stopping());
    process.spawn("pipeline", fold);
    Ok(())
}

async fn fold(
    settings: Settings,
    offsets: Arc<Offsets>,
    vitals: Arc<Vitals>,
    stopping: CancellationToken,
) -> Result<(), ProjectorError> {
    let generation = tokio::select! {
        generation = prepare(&settings.clickhouse, &vitals) => generation?,
        () = stopping.cancelled() => return Ok(()),
    };
    tracing::info!(generation, "folding the log into generation {generation}");
    let pipeline = Pipeline::build(settings, generation, offsets, vitals)?;
    Ok(pipeline.run(stopping).await?)
}

/// Brings the tables up to date, so that it does not matter whether `init` ran before.
async fn prepare(clickhouse: &ClickHouseConfig, vitals: &Vitals) -> Result<u32, ReadModelError> {
    let attempt = || ensure_active(clickhouse, CONTROL, GENERATION);
    until_decided(vitals, Stage::Prepare, attempt).await
}
