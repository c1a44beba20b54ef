//! What a task can fail with: one message for the person at the terminal, who also learns what to do.

use std::io;
use std::path::Path;

/// Result of every task.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A failed task.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Said in full.
    #[error("{0}")]
    Message(String),
    /// Kafka or ClickHouse could not be fetched, started or stopped.
    #[error(transparent)]
    Parts(#[from] ess_parts::Error),
    /// A file or a process could not be handled.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    /// A failure in one's own words.
    pub(crate) fn message(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }

    /// Wraps an I/O error with what was tried and on which path.
    pub(crate) fn io(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let what = format!("cannot {what} {}", path.display());
        move |source| Self::Io { what, source }
    }
}
