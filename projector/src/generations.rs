//! `projector generations`: what generations of the read model there are, for an operator who decides between them. It only
//! reads; see `promote` and `retire` for what changes something.

pub mod promote;
pub mod retire;

mod error;
mod report;

use std::process::ExitCode;

use clap::Args;
use ess_service::config::ClickHouseConfig;

use self::error::Refusal;
use crate::{
    command::{self, say},
    config::Settings,
};

/// How to tell them.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Print a JSON array instead of a table
    #[arg(long)]
    json: bool,
}

/// Lists them; returns what to exit with.
pub fn run(settings: &Settings, options: &Options) -> ExitCode {
    command::run(&settings.log, "generations", async {
        let report = report::look(settings).await?;
        say(&if options.json {
            report::json(&report)
        } else {
            report::table(&report)
        });
        Ok::<_, Refusal>(())
    })
}

/// What a generation takes on disk, in bytes.
async fn bytes_on_disk(config: &ClickHouseConfig, generation: u32) -> Result<u64, Refusal> {
    let query = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = ?";
    let database = config.generation_database(generation);
    let server = ess_service::clickhouse::server_client(config);
    Ok(server.query(query).bind(database).fetch_one().await?)
}
