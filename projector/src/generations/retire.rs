//! `projector retire N`: drops an earlier active generation and its consumer groups. It must never drop a generation that has
//! readers or projectors.

use std::{process::ExitCode, time::Duration};

use clap::Args;
use ess_service::clickhouse::{
    GenerationState, Lock, REBUILD_LOCK, generations, retire_generation,
};
use indicatif::HumanBytes;
use tokio::time::sleep;

use super::{
    disk::bytes_on_disk,
    error::{GenerationError, require_finished},
};
use crate::{
    command::{self, print},
    config::Settings,
    kafka,
};

/// How long readers may use a generation after another one became active: they check every second, and a query may be running.
const READER_GRACE: Duration = Duration::from_secs(5);

/// Options of `projector retire`.
#[derive(Debug, Clone, Args)]
pub struct RetireOptions {
    /// The number of the generation; `projector generations` lists them
    generation: u32,
}

/// Retires the generation; returns the exit code of the process.
pub fn run(settings: &Settings, options: &RetireOptions) -> ExitCode {
    command::run(&settings.log, "retire", async {
        let lock = Lock::try_acquire(&settings.clickhouse, REBUILD_LOCK).await?;
        lock.run(retire(settings, options.generation)).await
    })
}

async fn retire(settings: &Settings, generation: u32) -> Result<(), GenerationError> {
    let clickhouse = &settings.clickhouse;
    let known = generations(clickhouse).await?;
    let age = match require_finished(&known, generation) {
        // An interrupted retirement is finished.
        Err(GenerationError::Dropped(..)) if bytes_on_disk(clickhouse, generation).await? > 0 => {
            Duration::MAX
        }
        found => match found? {
            found if found.state == GenerationState::Active => {
                return Err(GenerationError::InUse(generation));
            }
            found if found.state == GenerationState::Handover => {
                return Err(GenerationError::InHandover(generation));
            }
            found => found.age,
        },
    };
    check_no_consumers(settings, generation).await?;
    sleep(READER_GRACE.saturating_sub(age)).await;
    drop_generation(settings, generation).await
}

async fn check_no_consumers(settings: &Settings, generation: u32) -> Result<(), GenerationError> {
    for group in settings.projector.groups_of(generation) {
        let members = kafka::membership(&settings.kafka, &group).await?.members;
        if members > 0 {
            return Err(GenerationError::HasConsumers(generation, group, members));
        }
    }
    Ok(())
}

async fn drop_generation(settings: &Settings, generation: u32) -> Result<(), GenerationError> {
    let freed = bytes_on_disk(&settings.clickhouse, generation).await?;
    retire_generation(&settings.clickhouse, generation).await?;
    let groups = settings.projector.groups_of(generation);
    for group in &groups {
        kafka::delete_group(&settings.kafka, group).await?;
    }
    let (freed, groups) = (HumanBytes(freed), groups.join(" and "));
    print(&format!(
        "generation {generation} is retired: {freed} on disk freed, consumer groups {groups} deleted"
    ));
    Ok(())
}
