//! `projector run`: starts health, then creates the tables, then runs the pipeline, and a new pipeline after each handover to
//! another generation. While a server is missing it waits and is not ready. It must never decide which generation is active.

use std::{process::ExitCode, sync::Arc};

use ess_schema::migrations::Schema;
use ess_service::{
    clickhouse::{
        ReadModelError, TargetGeneration, ensure_active, generation_client, target_generation,
    },
    config::ClickHouseConfig,
    http::Paths,
    process::{self, Process, StartError},
};
use poem::Route;
use tokio_util::sync::CancellationToken;

use crate::{
    commit::shared::SharedOffsets,
    config::Settings,
    consume::ConsumeError,
    generation_watch::GenerationWatch,
    metrics,
    pipeline::{Pipeline, PipelineError, PipelineTarget, Role},
    readiness,
    retry::retry_transient,
    rollup::{Rollup, RollupWorker},
    status::{PipelineStatus, Stage},
};

/// Folds the log into the active generation until stopped; creates that generation from `schema` if there is none. Returns the
/// exit code of the process.
pub fn run(settings: Settings, schema: Schema) -> ExitCode {
    let (logging, shutdown) = (settings.log.clone(), settings.shutdown.clone());
    process::run(&logging, &shutdown, async |process| {
        start(process, settings, schema).await
    })
}

#[derive(Debug, thiserror::Error)]
enum ProjectorError {
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

async fn start(
    process: &mut Process,
    settings: Settings,
    schema: Schema,
) -> Result<(), StartError> {
    metrics::describe();
    let (status, offsets) = (
        Arc::new(PipelineStatus::default()),
        Arc::new(SharedOffsets::default()),
    );
    let readiness = readiness::watch(
        &process.health,
        Arc::clone(&offsets),
        Arc::clone(&status),
        settings.projector.stall_after,
        process.stopping(),
    );
    process
        .serve(&settings.http, Route::new(), Paths::default())
        .await?;
    process.spawn("readiness", readiness);
    let pipelines = run_pipelines(settings, schema, offsets, status, process.stopping());
    process.spawn("pipeline", pipelines);
    Ok(())
}

/// Runs one pipeline after the other, each for the generation that is the target then.
async fn run_pipelines(
    settings: Settings,
    schema: Schema,
    offsets: Arc<SharedOffsets>,
    status: Arc<PipelineStatus>,
    stopping: CancellationToken,
) -> Result<(), ProjectorError> {
    while !stopping.is_cancelled() {
        let target = tokio::select! {
            target = prepare(&settings.clickhouse, schema, &status) => target?,
            () = stopping.cancelled() => return Ok(()),
        };
        let generation = target.generation;
        tracing::info!(generation, "folding the log into generation {generation}");
        let watch = GenerationWatch {
            clickhouse: settings.clickhouse.clone(),
            generation,
        };
        let rollup = Rollup::new(generation_client(&settings.clickhouse, generation));
        let worker = RollupWorker::new(rollup, Arc::clone(&offsets), Arc::clone(&status));
        let pipeline = Pipeline::build(
            settings.clone(),
            pipeline_target(&settings, target),
            Arc::clone(&offsets),
            Arc::clone(&status),
        )?;
        tokio::select! {
            ended = run_while_target(pipeline, &watch, &status, &stopping) => ended?,
            never = worker.run() => match never {},
        }
    }
    Ok(())
}

/// Runs a pipeline until stopped, or until another generation is the target.
async fn run_while_target(
    pipeline: Pipeline,
    watch: &GenerationWatch,
    status: &PipelineStatus,
    stopping: &CancellationToken,
) -> Result<(), PipelineError> {
    let leaving = stopping.child_token();
    let running = pipeline.run(leaving.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return ended,
        () = watch.wait_for_change(status) => leaving.cancel(),
    }
    match running.await {
        Err(PipelineError::Consume(error @ ConsumeError::DrainTimedOut))
            if !stopping.is_cancelled() =>
        {
            tracing::warn!("leaving generation {}: {error}", watch.generation);
            Ok(())
        }
        ended => ended,
    }
}

fn pipeline_target(settings: &Settings, target: TargetGeneration) -> PipelineTarget {
    let projector = &settings.projector;
    PipelineTarget {
        generation: target.generation,
        group: projector.group_of(target.generation),
        previous_group: target.previous.map(|number| projector.group_of(number)),
        role: Role::Live,
    }
}

/// Creates missing tables, so that `init` is optional, and returns the generation to write to.
async fn prepare(
    clickhouse: &ClickHouseConfig,
    schema: Schema,
    status: &PipelineStatus,
) -> Result<TargetGeneration, ReadModelError> {
    let attempt = async || {
        let active = ensure_active(clickhouse, schema).await?;
        let target = target_generation(clickhouse).await?;
        Ok(target.unwrap_or(TargetGeneration {
            generation: active,
            previous: None,
        }))
    };
    retry_transient(status, Stage::Prepare, attempt).await
}
