//! The command line: which program is to run, and what its end means to the shell. Never sends anything itself.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;
use crate::players;
use crate::players::summary::Ending;
use crate::report::{Report, compare, html, write_docs};
use crate::run;

/// What a shell says of a process that SIGINT ended (128 + 2).
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
    /// Simulate players that listen to tracks, and send what they report.
    Players(players::Args),
    /// Run a scenario, prove that nothing was lost, and report.
    Run(Box<run::Args>),
    /// Say what changed from one report to another.
    Compare {
        /// A report (JSON).
        before: PathBuf,
        /// Another.
        after: PathBuf,
    },
}

/// Runs what the command line asks for. 0 when all is as it must be, 1 when a fact was refused or not acknowledged, a threshold
/// broken, the read model not what was sent, or the run could not begin, 2 for a wrong command line, 130 when a signal ended it
/// before all was sent.
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
            keep(&args, &report)?;
            Ok(ending(&report))
        }
        Program::Compare { before, after } => {
            show(&compare(&Report::read(&before)?, &Report::read(&after)?));
            Ok(Ending::Complete)
        }
    }
}

/// A run that a signal cut short is not judged by thresholds on what it could not reach; what differs is wrong in any case.
fn ending(report: &Report) -> Ending {
    let differs = report.check.as_ref().is_some_and(|check| !check.is_green());
    match report.was_interrupted {
        true if differs => Ending::Failed,
        true => Ending::Interrupted,
        false if report.is_green() => Ending::Complete,
        false => Ending::Failed,
    }
}

fn keep(args: &run::Args, report: &Report) -> Result<(), Error> {
    if let Some(path) = &args.json {
        write(path, &report.json())?;
    }
    if let Some(path) = &args.html {
        write(path, &html(report))?;
    }
    if let Some(folder) = &args.docs {
        write_docs(report, folder)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |source| Error::Write {
        path: path.display().to_string(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}

fn show(text: &impl std::fmt::Display) {
    // Whoever closed our output does not want to read it.
    let _ = write!(io::stdout(), "{text}");
}
