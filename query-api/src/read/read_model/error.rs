//! Why a question was not answered, and what its caller is told: what the caller can change is a 422, what passes is a 503.

use clickhouse::error::Error;
use ess_service::{
    clickhouse::{ReadModelError, error_code, is_missing},
    problem::{Problem, ProblemKind},
    retry::{Classify, ErrorClass},
};

use crate::sql::InvalidRow;

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelectError {
    /// Too many queries wait already.
    #[error("too many queries wait for their turn")]
    Overloaded,
    /// No answer in time.
    #[error("the read model did not answer in time")]
    TimedOut,
    /// The server cannot be asked, or refused for what passes.
    #[error(transparent)]
    Unavailable(#[from] ReadModelError),
    /// The question reads, takes or lasts longer than the limits allow.
    #[error("the question costs too much: {0}")]
    TooExpensive(&'static str),
    /// The question itself is refused: a defect of ours.
    #[error("the read model refused the question: {0}")]
    Refused(Error),
    /// The answer makes no sense: a defect of ours.
    #[error("{0}")]
    InvalidRow(#[from] InvalidRow),
}

/// UNKNOWN_TABLE.
const UNKNOWN_TABLE: u32 = 60;

impl SelectError {
    /// Whether a generation lacks a table, though not itself.
    pub(super) fn is_missing_table(&self) -> bool {
        matches!(self, Self::Unavailable(ReadModelError::Server(error)) if error_code(error) == Some(UNKNOWN_TABLE))
    }

    /// What the server's error to a question means; of an unbounded one the caller can lower the cost.
    pub(super) fn of_answer(error: Error, unbounded: bool) -> Self {
        match exceeded(&error) {
            Some(limit) if unbounded => Self::TooExpensive(limit),
            Some(_) => Self::Unavailable(error.into()),
            None if is_missing(&error) || error.class() == ErrorClass::Transient => {
                Self::Unavailable(error.into())
            }
            None => Self::Refused(error),
        }
    }
}

/// The limit that a query met, by the code in ClickHouse's ErrorCodes.cpp.
fn exceeded(error: &Error) -> Option<&'static str> {
    match error_code(error)? {
        158 | 396 => Some("rows to read"),
        307 => Some("bytes to read"),
        159 | 160 => Some("time"),
        // The server's own memory being short is nobody's question's fault.
        241 if !error.to_string().contains("(total)") => Some("memory"),
        _ => None,
    }
}

impl From<SelectError> for Problem {
    fn from(error: SelectError) -> Self {
        use SelectError as E;
        match &error {
            E::Overloaded => Self::new(
                ProblemKind::Overloaded,
                "too many questions wait for the read model already",
            )
            .with_retry_after(1),
            E::TooExpensive(limit) => Self::new(
                ProblemKind::QueryTooExpensive,
                format!(
                    "the question exceeds the limit of {limit}; ask for less, for example with from and to, or a playback_id"
                ),
            ),
            E::TimedOut | E::Unavailable(_) => {
                tracing::warn!("a query was not answered: {error}");
                Self::new(
                    ProblemKind::ReadModelUnavailable,
                    "the read model cannot be asked at the moment",
                )
                .with_retry_after(1)
            }
            E::Refused(_) | E::InvalidRow(_) => {
                tracing::error!("a query failed for a reason of ours: {error}");
                Self::new(ProblemKind::Internal, "the question could not be answered")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{EventById, EventsScan, Select};

    fn told<S: Select>(answer: &str) -> (u16, Option<u32>) {
        let error = SelectError::of_answer(Error::BadResponse(answer.to_owned()), S::UNBOUNDED);
        let problem = Problem::from(error);
        (problem.status, problem.retry_after)
    }

    #[test]
    fn what_the_caller_can_change_is_told_apart_from_what_passes() {
        let rows = "Code: 158. DB::Exception: Limit for rows exceeded. (TOO_MANY_ROWS)";
        let time = "Code: 159. DB::Exception: Timeout exceeded. (TIMEOUT_EXCEEDED)";
        let memory =
            "Code: 241. DB::Exception: Query memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)";
        for limit in [rows, time, memory] {
            assert_eq!(told::<EventsScan>(limit), (422, None), "{limit}");
            assert_eq!(told::<EventById>(limit), (503, Some(1)), "{limit}");
        }
        let server =
            "Code: 241. DB::Exception: (total) memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)";
        let retired = "Code: 81. DB::Exception: Database ess_g1 does not exist. (UNKNOWN_DATABASE)";
        for passing in [server, retired, "502 Bad Gateway"] {
            assert_eq!(told::<EventsScan>(passing), (503, Some(1)), "{passing}");
        }
        let defect = "Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR)";
        assert_eq!(told::<EventsScan>(defect), (500, None));
    }
}
