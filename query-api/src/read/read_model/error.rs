//! Errors of queries, and their problems: 422 for a query that the caller can change, 503 for a temporary error.

use clickhouse::error::Error;
use ess_service::{
    clickhouse::{ReadModelError, error_code, is_missing},
    problem::{Problem, ProblemKind},
    retry::{Classify, ErrorClass},
};

use crate::sql::InvalidRow;

/// The error of a query.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelectError {
    /// Too many queries wait already.
    #[error("too many queries are waiting")]
    Overloaded,
    /// No response in time.
    #[error("the read model did not answer in time")]
    TimedOut,
    /// The server is unreachable or temporarily refuses the query.
    #[error(transparent)]
    Unavailable(#[from] ReadModelError),
    /// The query exceeds a limit.
    #[error("the query exceeds the limit of {0}")]
    TooExpensive(&'static str),
    /// The server rejects the query: a defect of this service.
    #[error("ClickHouse rejected the query: {0}")]
    Refused(Error),
    /// The response is invalid: a defect of this service.
    #[error("{0}")]
    InvalidRow(#[from] InvalidRow),
}

/// UNKNOWN_TABLE.
const UNKNOWN_TABLE: u32 = 60;

impl SelectError {
    /// Whether a table is missing in an existing generation.
    pub(super) fn is_missing_table(&self) -> bool {
        matches!(self, Self::Unavailable(ReadModelError::Server(error)) if error_code(error) == Some(UNKNOWN_TABLE))
    }

    /// Classifies an error of the server. Of an unbounded query, the caller can lower the cost.
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

/// The limit that a query exceeds, by the code in ClickHouse's ErrorCodes.cpp.
fn exceeded(error: &Error) -> Option<&'static str> {
    match error_code(error)? {
        158 | 396 => Some("rows to read"),
        307 => Some("bytes to read"),
        159 | 160 => Some("time"),
        // A query cannot help it when the server as a whole is short of memory.
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
                "too many queries are waiting for the read model",
            )
            .with_retry_after(1),
            E::TooExpensive(limit) => Self::new(
                ProblemKind::QueryTooExpensive,
                format!(
                    "the query exceeds the limit of {limit}; narrow it, for example by from and to, or by playback_id"
                ),
            ),
            E::TimedOut | E::Unavailable(_) => {
                tracing::warn!("a query failed: {error}");
                Self::new(
                    ProblemKind::ReadModelUnavailable,
                    "the read model is temporarily unavailable",
                )
                .with_retry_after(1)
            }
            E::Refused(_) | E::InvalidRow(_) => {
                tracing::error!("a query failed by a defect of this service: {error}");
                Self::new(ProblemKind::Internal, "the query failed")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{EventById, EventsScan, Select};

    fn problem_of<S: Select>(answer: &str) -> (u16, Option<u32>) {
        let error = SelectError::of_answer(Error::BadResponse(answer.to_owned()), S::UNBOUNDED);
        let problem = Problem::from(error);
        (problem.status, problem.retry_after)
    }

    #[test]
    fn queries_over_a_limit_and_temporary_errors_are_different_problems() {
        let rows = "Code: 158. DB::Exception: Limit for rows exceeded. (TOO_MANY_ROWS)";
        let time = "Code: 159. DB::Exception: Timeout exceeded. (TIMEOUT_EXCEEDED)";
        let memory =
            "Code: 241. DB::Exception: Query memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)";
        for limit in [rows, time, memory] {
            assert_eq!(problem_of::<EventsScan>(limit), (422, None), "{limit}");
            assert_eq!(problem_of::<EventById>(limit), (503, Some(1)), "{limit}");
        }
        let server =
            "Code: 241. DB::Exception: (total) memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)";
        let retired = "Code: 81. DB::Exception: Database ess_g1 does not exist. (UNKNOWN_DATABASE)";
        for temporary in [server, retired, "502 Bad Gateway"] {
            assert_eq!(
                problem_of::<EventsScan>(temporary),
                (503, Some(1)),
                "{temporary}"
            );
        }
        let defect = "Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR)";
        assert_eq!(problem_of::<EventsScan>(defect), (500, None));
    }
}
