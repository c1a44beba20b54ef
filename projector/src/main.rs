//! The binary `projector`: parses the command line and runs the command; see `app`, `init`, `replay`, `rollup` and `generations`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ess_projector::{
    app,
    config::Settings,
    generations::{list, promote, retire},
    init, replay, rollup,
};
use ess_schema::migrations::SCHEMA;
use ess_service::config::{ConfigArgs, parse_arguments};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Fold the log into the active generation until stopped (the default command)
    Run,
    /// Create missing topics and tables, verify existing ones, and exit
    Init,
    /// Build the next generation from offset 0 beside the active one, verify it, and make it the active one
    Replay(replay::ReplayOptions),
    /// Update the table `playbacks` of the active generation from the stored events, and exit; a running projector does this by itself
    Rollup(rollup::RollupOptions),
    /// List the generations of the read model with state, size, lag and consumers
    Generations(list::GenerationsOptions),
    /// Make an earlier generation the active one again, after bringing it up to date and verifying it
    Promote(promote::PromoteOptions),
    /// Drop an earlier generation and its consumer groups; this cannot be undone
    Retire(retire::RetireOptions),
}

fn main() -> ExitCode {
    let read = parse_arguments::<CommandLine, Settings>()
        .and_then(|line| Ok((line.config.load::<Settings>()?, line.command)));
    match read {
        Ok((settings, Some(Command::Init))) => init::run(&settings, SCHEMA),
        Ok((settings, Some(Command::Replay(options)))) => replay::run(&settings, SCHEMA, &options),
        Ok((settings, Some(Command::Rollup(options)))) => rollup::run(&settings, SCHEMA, &options),
        Ok((settings, Some(Command::Generations(options)))) => list::run(&settings, &options),
        Ok((settings, Some(Command::Promote(options)))) => {
            promote::run(&settings, SCHEMA, &options)
        }
        Ok((settings, Some(Command::Retire(options)))) => retire::run(&settings, &options),
        Ok((settings, Some(Command::Run) | None)) => app::run(settings, SCHEMA),
        Err(code) => code,
    }
}
