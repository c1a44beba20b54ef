//! What can be wrong with the read model, and whether trying again can help.

use clickhouse::error::Error;

use super::lock::LOCK_LEASE_SECONDS;
use crate::retry::{Classify, ErrorClass};

/// The read model cannot be used as it is.
#[derive(Debug, thiserror::Error)]
pub enum ReadModelError {
    /// The server cannot be asked, or refused.
    #[error("the read model's server: {0}")]
    Server(#[from] Error),
    /// One schema change failed.
    #[error("database {database}, schema change {number} ({name}): {source}")]
    Migration {
        /// The database.
        database: String,
        /// The change's number.
        number: u32,
        /// The change's name.
        name: &'static str,
        /// The server's reason.
        source: Error,
    },
    /// A schema change was edited after it had been applied.
    #[error(
        "database {database}: schema change {number} ({name}) is not what was applied there; \
         an applied change is never edited, a new one is added"
    )]
    Edited {
        /// The database.
        database: String,
        /// The change's number.
        number: u32,
        /// The change's name.
        name: &'static str,
    },
    /// The database has changes that this binary does not know.
    #[error(
        "database {database} has schema change {found}, this binary knows {known} at most: it is too old for it"
    )]
    Newer {
        /// The database.
        database: String,
        /// The newest change applied.
        found: u32,
        /// The newest change known.
        known: u32,
    },
    /// The generation being built was begun by an older binary.
    #[error(
        "generation {generation} was begun without schema change {change}; \
         `projector replay --discard` drops it, then `projector replay` begins anew"
    )]
    Outdated {
        /// The generation.
        generation: u32,
        /// The first change that it lacks.
        change: u32,
    },
    /// Another process does what only one may do at a time.
    #[error(
        "lock {name} is held by {holder}, which is at work: wait for its end, or end it \
         (the lock frees itself {LOCK_LEASE_SECONDS} s later)"
    )]
    Locked {
        /// The lock.
        name: &'static str,
        /// Process, host and time of its holder.
        holder: String,
    },
    /// This process was stopped, or the server away, for longer than the lease of the lock it held.
    #[error(
        "lock {name} was lost, {holder} holds it now: this process gave no sign for {LOCK_LEASE_SECONDS} s"
    )]
    LockLost {
        /// The lock.
        name: &'static str,
        /// Who holds it now.
        holder: String,
    },
}

impl Classify for ReadModelError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Server(error) | Self::Migration { source: error, .. } => error.class(),
            Self::LockLost { .. } => ErrorClass::Transient,
            Self::Edited { .. }
            | Self::Newer { .. }
            | Self::Outdated { .. }
            | Self::Locked { .. } => ErrorClass::Permanent,
        }
    }
}

/// Codes of ClickHouse's ErrorCodes.cpp that pass by themselves: time-outs, overload, memory pressure, too many parts,
/// replicas or Keeper away, shutdown.
const PASSING: &[u32] = &[
    159, 160, 164, 201, 202, 203, 209, 210, 225, 236, 241, 242, 252, 279, 285, 286, 319, 394, 425,
    439, 473, 499, 571, 648, 667, 700, 722, 745, 999,
];

/// UNKNOWN_TABLE and UNKNOWN_DATABASE.
const MISSING: &[u32] = &[60, 81];

impl Classify for Error {
    fn class(&self) -> ErrorClass {
        let passing = match self {
            Self::Network(_) | Self::TimedOut => true,
            Self::BadResponse(text) => code(text).is_none_or(|code| PASSING.contains(&code)),
            _ => false,
        };
        if passing {
            ErrorClass::Transient
        } else {
            ErrorClass::Permanent
        }
    }
}

/// Whether the error says that a table or database is not there (yet).
pub fn is_missing(error: &Error) -> bool {
    error_code(error).is_some_and(|code| MISSING.contains(&code))
}

/// The server's own code of an error (ErrorCodes.cpp); none when the error is not the server's.
pub fn error_code(error: &Error) -> Option<u32> {
    match error {
        Error::BadResponse(text) => code(text),
        _ => None,
    }
}

/// The number in the server's `Code: 60. DB::Exception: …`; an answer without one comes from something in between.
fn code(text: &str) -> Option<u32> {
    let digits = text.split_once("Code: ")?.1;
    digits
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overload_passes_and_a_bad_statement_does_not() {
        let answered = |text: &str| Error::BadResponse(text.to_owned());
        let memory =
            answered("Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)");
        assert_eq!(memory.class(), ErrorClass::Transient);
        assert_eq!(answered("502 Bad Gateway").class(), ErrorClass::Transient);
        let syntax = answered("Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR)");
        assert_eq!(syntax.class(), ErrorClass::Permanent);
        let missing =
            answered("Code: 81. DB::Exception: Database ess does not exist. (UNKNOWN_DATABASE)");
        assert!(is_missing(&missing) && !is_missing(&syntax));
    }
}
