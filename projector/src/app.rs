//! `projector run`: health first, then tables, then the pipeline, and another one when another generation is handed over
//! to. Parts that are not there yet are waited for, visibly. It never decides which generation is active.

use std::{process::ExitCode, sync::Arc, time::Duration};

use ess_schema::migrations::{CONTROL, GENERATION};
use ess_service::{
    clickhouse::{Course, ReadModelError, course, ensure_active},
    config::ClickHouseConfig,
    http::Paths,
    process::{self, Process, StartError},
};
use poem::Route;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Settings,
    consume::ConsumeError,
    measure,
    offsets::Offsets,
    patience::until_decided,
    pipeline::{Pipeline, PipelineError, Target},
    readiness,
    vitals::{Stage, Vitals},
};

/// Between two looks at which generation is to be folded into.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long such a look may take before the read model counts as away.
const LOOK_WITHIN: Duration = Duration::from_secs(5);

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

/// Folds into the generation that is active or being handed over to, one after the other.
async fn fold(
    settings: Settings,
    offsets: Arc<Offsets>,
    vitals: Arc<Vitals>,
    stopping: CancellationToken,
) -> Result<(), ProjectorError> {
    while !stopping.is_cancelled() {
        let now = tokio::select! {
            now = prepare(&settings.clickhouse, &vitals) => now?,
            () = stopping.cancelled() => return Ok(()),
        };
        let Course { generation, .. } = now;
        tracing::info!(generation, "folding the log into generation {generation}");
        let target = target(&settings, now);
        let offsets = Arc::clone(&offsets);
        let pipeline = Pipeline::build(settings.clone(), target, offsets, Arc::clone(&vitals))?;
        fold_into(pipeline, now, &settings.clickhouse, &vitals, &stopping).await?;
    }
    Ok(())
}

/// Folds into one generation until told to stop, or until another one is to be folded into.
async fn fold_into(
    pipeline: Pipeline,
    now: Course,
    clickhouse: &ClickHouseConfig,
    vitals: &Vitals,
    stopping: &CancellationToken,
) -> Result<(), PipelineError> {
    let leaving = stopping.child_token();
    let running = pipeline.run(leaving.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return ended,
        () = another(clickhouse, now, vitals) => leaving.cancel(),
    }
    match running.await {
        Err(PipelineError::Consume(error @ ConsumeError::Unsettled))
            if !stopping.is_cancelled() =>
        {
            tracing::warn!("leaving generation {}: {error}", now.generation);
            Ok(())
        }
        ended => ended,
    }
}

/// Waits until another generation is to be folded into than now. While nobody says which, the one known stays, and the
/// projector is not ready (I11).
async fn another(clickhouse: &ClickHouseConfig, now: Course, vitals: &Vitals) {
    loop {
        sleep(LOOK_EVERY).await;
        match look(clickhouse).await {
            Ok(Some(next)) if next.generation != now.generation => {
                let (from, to) = (now.generation, next.generation);
                tracing::info!(from, to, "leaving generation {from} for generation {to}");
                return;
            }
            Ok(_) => vitals.works(Stage::Generations),
            Err(reason) => vitals.hindered(Stage::Generations, reason),
        }
    }
}

async fn look(clickhouse: &ClickHouseConfig) -> Result<Option<Course>, String> {
    let answered = timeout(LOOK_WITHIN, course(clickhouse)).await;
    let silent = || format!("no answer within {} s", LOOK_WITHIN.as_secs());
    answered
        .map_err(|_| silent())?
        .map_err(|error| error.to_string())
}

fn target(settings: &Settings, now: Course) -> Target {
    let projector = &settings.projector;
    Target {
        generation: now.generation,
        group: projector.group_of(now.generation),
        predecessor: now.predecessor.map(|number| projector.group_of(number)),
        sends_dead_letters: true,
    }
}

/// Makes sure that there are tables, so that it does not matter whether `init` ran before, and says which to fold into.
async fn prepare(clickhouse: &ClickHouseConfig, vitals: &Vitals) -> Result<Course, ReadModelError> {
    let attempt = async || {
        let active = ensure_active(clickhouse, CONTROL, GENERATION).await?;
        Ok(course(clickhouse).await?.unwrap_or(Course {
            generation: active,
            predecessor: None,
        }))
    };
    until_decided(vitals, Stage::Prepare, attempt).await
}
