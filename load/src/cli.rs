//! The command line: which program is to run, and what its end means to the shell. Never sends anything itself.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;
use crate::players;
use crate::summary::{Ending, Summary};

/// What a shell says of a process that SIGINT ended (128 + 2).
const INTERRUPTED: u8 = 130;

/// Send simulated playback facts to ESS.
#[derive(Debug, Parser)]
#[command(name = "ess-load", version)]
struct Cli {
    #[command(subcommand)]
    program: Program,
}

#[derive(Debug, Subcommand)]
enum Program {
    /// Simulate players that listen to tracks, and send what they report.
    Players(players::Args),
}

/// Runs what the command line asks for. 0 when every fact was acknowledged, 1 when any was refused or not acknowledged
/// or the run could not begin, 2 for a wrong command line, 130 when a signal ended it before all was sent.
pub fn main() -> ExitCode {
    let Cli { program } = Cli::parse();
    match run(program) {
        Ok(summary) => {
            // Whoever closed our output does not want to read it.
            let _ = write!(io::stdout(), "{summary}");
            match summary.ending() {
                Ending::Complete => ExitCode::SUCCESS,
                Ending::Interrupted => ExitCode::from(INTERRUPTED),
                Ending::Failed => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "ess-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(program: Program) -> Result<Summary, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    match program {
        Program::Players(args) => runtime.block_on(players::run(args)),
    }
}
