//! Runs a command of an operator to its end: prints results to standard output and logs the reason of a failure. It must never
//! know what a command does.

use std::{error::Error, io::Write as _, process::ExitCode};

use ess_service::{config::LoggingConfig, telemetry::start_logging};
use tokio::runtime::Runtime;

/// Runs `work`; `name` is its name in the log. Returns the exit code of the process.
pub(crate) fn run<E: Error>(
    logging: &LoggingConfig,
    name: &str,
    work: impl Future<Output = Result<(), E>>,
) -> ExitCode {
    let result = start_logging(logging)
        .map_err(|error| error.to_string())
        .and_then(|()| Runtime::new().map_err(|error| error.to_string()))
        .and_then(|runtime| runtime.block_on(work).map_err(|error| error.to_string()));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{name} failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a result. A closed standard output is no error.
pub(crate) fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}
