//! `projector run`: health first, then tables, then the pipeline, and another one when another generation is handed over
//! to. Parts that are not there yet are waited for, visibly. It never decides which generation is active.

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
    commit::offsets::Offsets,
    config::Settings,
    consume::ConsumeError,
    generation_watch::CourseWatch,
    metrics,
    pipeline::{Pipeline, PipelineError, Role, Target},
    readiness,
    retry::until_decided,
    rollup::{Keeper, Rollup},
    status::{Stage, Vitals},
};

/// Folds the log into the active generation, which is made as `schema` says where it is missing, until told to stop; returns
/// what to exit with.
pub fn run(settings: Settings, schema: Schema) -> ExitCode {
    let (log, shutdown) = (settings.log.clone(), settings.shutdown.clone());
    process::run(&log, &shutdown, async |process| {
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
    let (vitals, offsets) = (Arc::new(Vitals::default()), Arc::new(Offsets::default()));
    let readiness = readiness::watch(
        &process.health,
        Arc::clone(&offsets),
        Arc::clone(&vitals),
        settings.projector.stall_after,
        process.stopping(),
    );
    process
        .serve(&settings.http, Route::new(), Paths::default())
        .await?;
    process.spawn("readiness", readiness);
    let fold = fold(settings, schema, offsets, vitals, process.stopping());
    process.spawn("pipeline", fold);
    Ok(())
}

/// Folds into the generation that is active or being handed over to, one after the other.
async fn fold(
    settings: Settings,
    schema: Schema,
    offsets: Arc<Offsets>,
    vitals: Arc<Vitals>,
    stopping: CancellationToken,
) -> Result<(), ProjectorError> {
    while !stopping.is_cancelled() {
        let now = tokio::select! {
            now = prepare(&settings.clickhouse, schema, &vitals) => now?,
            () = stopping.cancelled() => return Ok(()),
        };
        let course = CourseWatch {
            clickhouse: settings.clickhouse.clone(),
            generation: now.generation,
        };
        let generation = now.generation;
        tracing::info!(generation, "folding the log into generation {generation}");
        let target = target(&settings, now);
        let rollup = Rollup::new(generation_client(&settings.clickhouse, generation));
        let keeper = Keeper::new(rollup, Arc::clone(&offsets), Arc::clone(&vitals));
        let offsets = Arc::clone(&offsets);
        let pipeline = Pipeline::build(settings.clone(), target, offsets, Arc::clone(&vitals))?;
        tokio::select! {
            left = fold_into(pipeline, &course, &vitals, &stopping) => left?,
            never = keeper.run() => match never {},
        }
    }
    Ok(())
}

/// Folds into one generation until told to stop, or until another one is to be folded into.
async fn fold_into(
    pipeline: Pipeline,
    course: &CourseWatch,
    vitals: &Vitals,
    stopping: &CancellationToken,
) -> Result<(), PipelineError> {
    let leaving = stopping.child_token();
    let running = pipeline.run(leaving.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return ended,
        () = course.until_off(vitals) => leaving.cancel(),
    }
    match running.await {
        Err(PipelineError::Consume(error @ ConsumeError::Unsettled))
            if !stopping.is_cancelled() =>
        {
            tracing::warn!("leaving generation {}: {error}", course.generation);
            Ok(())
        }
        ended => ended,
    }
}

fn target(settings: &Settings, now: TargetGeneration) -> Target {
    let projector = &settings.projector;
    Target {
        generation: now.generation,
        group: projector.group_of(now.generation),
        predecessor: now.previous.map(|number| projector.group_of(number)),
        role: Role::Live,
    }
}

/// Makes sure that there are tables, so that it does not matter whether `init` ran before, and says which to fold into.
async fn prepare(
    clickhouse: &ClickHouseConfig,
    schema: Schema,
    vitals: &Vitals,
) -> Result<TargetGeneration, ReadModelError> {
    let attempt = async || {
        let active = ensure_active(clickhouse, schema).await?;
        Ok(target_generation(clickhouse)
            .await?
            .unwrap_or(TargetGeneration {
                generation: active,
                previous: None,
            }))
    };
    until_decided(vitals, Stage::Prepare, attempt).await
}
