//! The binary `projector`: folds the log into the read model, prepares both, or rebuilds it. It only chooses; see
//! `app`, `init`, `replay` and `generations`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ess_projector::{
    app,
    config::Settings,
    generations::{self, promote, retire},
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
    /// Fold the log into the active generation until told to stop (this is what happens without a command)
    Run,
    /// Create the topics and tables that are missing, verify those that are there, and exit
    Init,
    /// Build the next generation from offset 0 beside the active one, verify it, and make it the active one
    Replay(replay::Options),
    /// Bring the rows of `playbacks` in the active generation up to date with what is stored, and exit; a running projector does so by itself
    Rollup(rollup::Options),
    /// List the generations of the read model: state, size, how far behind the log, and who folds into them
    Generations(generations::Options),
    /// Make a generation that was active before the active one again; it is brought up to date and verified first
    Promote(promote::Options),
    /// Drop a generation that was active before, with its consumer groups, for good
    Retire(retire::Options),
}

fn main() -> ExitCode {
    let read = parse_arguments::<CommandLine, Settings>()
        .and_then(|line| Ok((line.config.load::<Settings>()?, line.command)));
    match read {
        Ok((settings, Some(Command::Init))) => init::run(&settings, SCHEMA),
        Ok((settings, Some(Command::Replay(options)))) => replay::run(&settings, SCHEMA, &options),
        Ok((settings, Some(Command::Rollup(options)))) => rollup::run(&settings, SCHEMA, &options),
        Ok((settings, Some(Command::Generations(options)))) => {
            generations::run(&settings, &options)
        }
        Ok((settings, Some(Command::Promote(options)))) => {
            promote::run(&settings, SCHEMA, &options)
        }
        Ok((settings, Some(Command::Retire(options)))) => retire::run(&settings, &options),
        Ok((settings, Some(Command::Run) | None)) => app::run(settings, SCHEMA),
        Err(code) => code,
    }
}
