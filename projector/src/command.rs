//! A command that an operator runs to its end: results go to standard output, the reason of a failure to the log. What it
//! does is not known here.

use std::{fmt::Display, io::Write as _, process::ExitCode};

use ess_service::{config::LoggingConfig, telemetry::start_logging};
use tokio::runtime::Runtime;

/// Does `work`, which the log knows as `name`; returns what to exit with.
pub(crate) fn run<E: Display>(
    log: &LoggingConfig,
    name: &str,
    work: impl Future<Output = Result<(), E>>,
) -> ExitCode {
    let told = |error: &dyn Display| error.to_string();
    let begun = start_logging(log)
        .map_err(|error| told(&error))
        .and_then(|()| Runtime::new().map_err(|error| told(&error)));
    let ended = begun.and_then(|runtime| runtime.block_on(work).map_err(|error| told(&error)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A result; a reader who has gone is no reason to stop.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}
