//! `projector retire N`: drops a generation that nobody needs to go back to, with its consumer groups. It never drops one that
//! is read or folded into.

use std::{process::ExitCode, time::Duration};

use clap::Args;
use ess_service::clickhouse::{
    GenerationState, Lock, REBUILD_LOCK, generations, retire_generation,
};
use indicatif::HumanBytes;
use tokio::time::sleep;

use super::{
    bytes_on_disk,
    error::{Refusal, finished},
};
use crate::{
    command::{self, say},
    config::Settings,
    kafka,
};

/// How long a reader may go on with a generation after another one was made active: it looks every second, and a query may
/// be under way.
const READERS_LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// What is retired.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The generation's number, as `projector generations` tells it
    generation: u32,
}

/// Retires it; returns what to exit with.
pub fn run(settings: &Settings, options: &Options) -> ExitCode {
    command::run(&settings.log, "retire", async {
        let lock = Lock::try_acquire(&settings.clickhouse, REBUILD_LOCK).await?;
        lock.run(retire(settings, options.generation)).await
    })
}

async fn retire(settings: &Settings, generation: u32) -> Result<(), Refusal> {
    let clickhouse = &settings.clickhouse;
    let known = generations(clickhouse).await?;
    let age = match finished(&known, generation) {
        // One that was interrupted here is ended.
        Err(Refusal::Gone(..)) if bytes_on_disk(clickhouse, generation).await? > 0 => Duration::MAX,
        found => match found? {
            found if found.state == GenerationState::Active => {
                return Err(Refusal::InUse(generation));
            }
            found if found.state == GenerationState::Handover => {
                return Err(Refusal::InHandover(generation));
            }
            found => found.age,
        },
    };
    refuse_one_folded_into(settings, generation).await?;
    sleep(READERS_LEAVE_WITHIN.saturating_sub(age)).await;
    drop_it(settings, generation).await
}

async fn refuse_one_folded_into(settings: &Settings, generation: u32) -> Result<(), Refusal> {
    for group in settings.projector.groups_of(generation) {
        let members = kafka::membership(&settings.kafka, &group).await?.members;
        if members > 0 {
            return Err(Refusal::FoldedInto(generation, group, members));
        }
    }
    Ok(())
}

async fn drop_it(settings: &Settings, generation: u32) -> Result<(), Refusal> {
    let freed = bytes_on_disk(&settings.clickhouse, generation).await?;
    retire_generation(&settings.clickhouse, generation).await?;
    let groups = settings.projector.groups_of(generation);
    for group in &groups {
        kafka::delete_group(&settings.kafka, group).await?;
    }
    let (freed, groups) = (HumanBytes(freed), groups.join(" and "));
    say(&format!(
        "generation {generation} is retired: {freed} on disk freed, consumer groups {groups} removed"
    ));
    Ok(())
}
