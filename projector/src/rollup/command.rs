//! `projector rollup`: brings the rows of `playbacks` in the active generation up to date once. A running projector does that by
//! itself; the command is for a read model that was filled without a projector, and for damaged rows.

use std::process::ExitCode;

use clap::Args;
use ess_schema::migrations::Schema;
use ess_service::{
    clickhouse::{ReadModelError, ensure_active, generation_client},
    retry::RetryPolicy,
};

use super::{Rollup, RollupStep};
use crate::{
    command::{self, print},
    config::Settings,
};

/// Options of `projector rollup`.
#[derive(Debug, Clone, Args)]
pub struct RollupOptions {
    /// Write all rows again, not only those that lack stored events
    #[arg(long)]
    all: bool,
}

/// Writes the rows; returns the exit code of the process.
pub fn run(settings: &Settings, schema: Schema, options: &RollupOptions) -> ExitCode {
    command::run(&settings.log, "rollup", roll_up(settings, schema, options))
}

#[derive(Debug, thiserror::Error)]
enum RollupError {
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
    #[error("ClickHouse: {0}")]
    ClickHouse(#[from] clickhouse::error::Error),
    #[error(
        "generation {0} was created by an older version and has no table `playbacks`; `projector replay` builds a generation \
         that has it"
    )]
    NoTable(u32),
}

async fn roll_up(
    settings: &Settings,
    schema: Schema,
    options: &RollupOptions,
) -> Result<(), RollupError> {
    let clickhouse = &settings.clickhouse;
    let generation = RetryPolicy::STARTUP
        .run("looking up the active generation", || {
            ensure_active(clickhouse, schema)
        })
        .await?;
    let rollup = Rollup::new(generation_client(clickhouse, generation));
    let step = if options.all {
        rollup.rewrite_all().await?
    } else {
        rollup.catch_up().await?
    };
    match step {
        RollupStep::NoTable => return Err(RollupError::NoTable(generation)),
        RollupStep::UpToDate | RollupStep::NoneSelected => {
            print("the table playbacks is up to date");
        }
        RollupStep::RolledUp(offsets) => print(&format!(
            "the table playbacks is updated; it lacked {offsets} offsets"
        )),
    }
    Ok(())
}
