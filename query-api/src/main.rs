//! The process: configuration → build → spawn → wait for a signal → drain; or print the API's document. Nothing else.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ess_query_api::{Config, app};
use ess_service::config::{ConfigArgs, parse_arguments};
use ess_service::process;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Print the OpenAPI document and exit.
    Openapi,
}

fn main() -> ExitCode {
    run().unwrap_or_else(|code| code)
}

fn run() -> Result<ExitCode, ExitCode> {
    let Arguments { config, task } = parse_arguments::<_, Config>()?;
    if let Some(Task::Openapi) = task {
        return app::print_document().map_err(|_| ExitCode::FAILURE);
    }
    let config: Config = config.load()?;
    let (log, shutdown) = (config.log.clone(), config.shutdown.clone());
    let start = async |process: &mut _| app::start(config, process).await;
    Ok(process::run(&log, &shutdown, start))
}
