//! The command line: the subcommands, and their exit codes. Never sends anything itself.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;
use crate::players::{self, Ending};
use crate::report::{Report, compare, html, write_docs, write_file};
use crate::run;

/// The exit code of a shell for a process that SIGINT ended (128 + 2).
const INTERRUPTED: u8 = 130;

/// Put load on ESS, and prove that nothing was lost.
#[derive(Debug, Parser)]
#[command(name = "ess-load", version)]
struct Cli {
    #[command(subcommand)]
    program: Program,
}

#[derive(Debug, Subcommand)]
enum Program {
    /// Simulate players that listen to tracks, and send their facts.
    Players(players::PlayersArgs),
    /// Run a scenario, prove that nothing was lost, and report.
    Run(Box<run::RunArgs>),
    /// Compare two reports.
    Compare {
        /// The first report (JSON).
        before: PathBuf,
        /// The second report (JSON).
        after: PathBuf,
    },
}

/// Runs a subcommand. Exits 0 on success; 1 when a fact was refused or not acknowledged, a threshold was not met, the proof found a
/// difference, or the run could not begin; 2 for an invalid command line; 130 when a signal ended the run before all was sent.
pub fn main() -> ExitCode {
    let Cli { program } = Cli::parse();
    match run(program) {
        Ok(Ending::Complete) => ExitCode::SUCCESS,
        Ok(Ending::Interrupted) => ExitCode::from(INTERRUPTED),
        Ok(Ending::Failed) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "ess-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(program: Program) -> Result<Ending, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    match program {
        Program::Players(args) => {
            let summary = runtime.block_on(players::run(args))?;
            show(&summary);
            Ok(summary.ending())
        }
        Program::Run(args) => {
            let report = runtime.block_on(run::run(&args))?;
            show(&report);
            save(&args, &report)?;
            Ok(ending(&report))
        }
        Program::Compare { before, after } => {
            show(&compare(&Report::read(&before)?, &Report::read(&after)?));
            Ok(Ending::Complete)
        }
    }
}

/// The thresholds do not apply to a run that a signal ended; the proof does.
fn ending(report: &Report) -> Ending {
    let differs = report.check.as_ref().is_some_and(|check| !check.is_green());
    match report.was_interrupted {
        true if differs => Ending::Failed,
        true => Ending::Interrupted,
        false if report.is_green() => Ending::Complete,
        false => Ending::Failed,
    }
}

fn save(args: &run::RunArgs, report: &Report) -> Result<(), Error> {
    if let Some(path) = &args.json {
        write_file(path, &report.json())?;
    }
    if let Some(path) = &args.html {
        write_file(path, &html(report))?;
    }
    if let Some(folder) = &args.docs {
        write_docs(report, folder)?;
    }
    Ok(())
}

fn show(text: &impl std::fmt::Display) {
    // Standard output may be closed.
    let _ = write!(io::stdout(), "{text}");
}
