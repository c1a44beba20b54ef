//! Errors of tasks: one message for the terminal, which also says what to do.

use std::io;
use std::path::Path;

/// Result of every task.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A failed task.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A complete message.
    #[error("{0}")]
    Message(String),
    /// Kafka or ClickHouse could not be fetched, started or stopped.
    #[error(transparent)]
    Parts(#[from] ess_parts::Error),
    /// A file or a process could not be handled.
    #[error("{what}: {source}")]
    Io {
        /// The failed operation.
        what: String,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl Error {
    /// An error from a complete message.
    pub(crate) fn message(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }

    /// Adds the operation and the path to an I/O error.
    pub(crate) fn io(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let what = format!("cannot {what} {}", path.display());
        move |source| Self::Io { what, source }
    }
}
