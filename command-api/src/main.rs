//! The process: configuration → build → spawn → wait for a signal → drain. Or prints the OpenAPI document, or a new API key.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ess_command_api::{Config, app, openapi};
use ess_service::{
    auth::NewApiKey,
    config::{ConfigArgs, parse_arguments},
    process,
};

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
    /// Create an API key: print it and its entry for AUTH_API_KEYS_FILE, and exit.
    ApiKey(NewApiKey),
}

fn main() -> ExitCode {
    run().unwrap_or_else(|code| code)
}

fn run() -> Result<ExitCode, ExitCode> {
    let arguments: Arguments = parse_arguments::<_, Config>()?;
    match arguments.task {
        Some(Task::Openapi) => return openapi::print().map_err(|_| ExitCode::FAILURE),
        Some(Task::ApiKey(new)) => return new.print().map_err(|_| ExitCode::FAILURE),
        None => {}
    }
    let config: Config = arguments.config.load()?;
    let (log, shutdown) = (config.log.clone(), config.shutdown.clone());
    Ok(process::run(&log, &shutdown, async |process| {
        app::start(config, process).await
    }))
}
