//! Errors of the read model: of the server, of migrations, of locks, of generations.

use clickhouse::error::Error;

use super::{lock::LockError, migrate::MigrationError};
use crate::retry::{Classify, ErrorClass};

/// The read model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadModelError {
    /// ClickHouse is unreachable, or rejected a statement.
    #[error("ClickHouse: {0}")]
    Server(#[from] Error),
    /// The schema of a database could not be migrated.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// A lock was not acquired, or lost.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// An older binary created the generation that is being built.
    #[error(
        "generation {generation} lacks migration {migration}; drop it with `projector replay --discard`, \
         then run `projector replay` again"
    )]
    Outdated {
        /// The generation.
        generation: u32,
        /// The first migration that it lacks.
        migration: u32,
    },
}

impl Classify for ReadModelError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Server(error) => error.class(),
            Self::Migration(error) => error.class(),
            Self::Lock(error) => error.class(),
            Self::Outdated { .. } => ErrorClass::Permanent,
        }
    }
}
