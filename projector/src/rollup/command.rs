//! `projector rollup`: makes the rows of `playbacks` in the active generation again, once, and ends. A running projector does
//! that by itself; this is for a read model that was filled without one, and for rows that somebody damaged.

use std::process::ExitCode;

use clap::Args;
use ess_schema::migrations::Schema;
use ess_service::{
    clickhouse::{ReadModelError, ensure_active, generation_client},
    retry::RetryPolicy,
};

use super::{Rollup, Step};
use crate::{
    command::{self, say},
    config::Settings,
};

/// What is made again.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Every row, not only those that lack stored events
    #[arg(long)]
    all: bool,
}

/// Makes them; returns what to exit with.
pub fn run(settings: &Settings, schema: Schema, options: &Options) -> ExitCode {
    command::run(&settings.log, "rollup", roll_up(settings, schema, options))
}

#[derive(Debug, thiserror::Error)]
enum RollupError {
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
    #[error("the read model's server: {0}")]
    Server(#[from] clickhouse::error::Error),
    #[error(
        "generation {0} was made by a version that knew no such rows: `projector replay` builds one that has them"
    )]
    Absent(u32),
}

async fn roll_up(
    settings: &Settings,
    schema: Schema,
    options: &Options,
) -> Result<(), RollupError> {
    let clickhouse = &settings.clickhouse;
    let generation = RetryPolicy::STARTUP
        .run("looking at the read model", || {
            ensure_active(clickhouse, schema)
        })
        .await?;
    let rollup = Rollup::new(generation_client(clickhouse, generation));
    let step = if options.all {
        rollup.all().await?
    } else {
        rollup.catch_up().await?
    };
    match step {
        Step::Absent => return Err(RollupError::Absent(generation)),
        Step::UpToDate | Step::OfOthers => say("every playback's row holds what is stored"),
        Step::Made(events) => say(&format!(
            "the rows of playbacks were made again, {events} positions of the log were new to them"
        )),
    }
    Ok(())
}
