//! Everything that can go wrong with a request or with one item of it, and the one map from there to HTTP. No other
//! place chooses a status.

use ess_schema::{EventId, UserId, Violation};
use ess_service::problem::{FieldError, Problem, ProblemKind};

use crate::{
    body::media_type::Route,
    decode::ids::{IDEMPOTENCY_KEY, MAX_KEY_CHARS},
    kafka::AppendError,
};

/// Seconds after which a full queue may have room.
const WHEN_FULL: u32 = 1;
/// Seconds after which a log that is away may be back.
const WHEN_AWAY: u32 = 5;
/// The most violations that one answer names.
const MAX_VIOLATIONS: usize = 100;

/// Why a request is refused as a whole: nothing of it was appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("{given:?} is not taken here; send {}", .route.media_types().join(", "))]
    MediaType { given: String, route: Route },
    #[error("content coding {0:?} is not taken; send the body as it is, or as gzip or zstd")]
    ContentCoding(String),
    #[error("CloudEvents (ce-* headers) are taken by POST /events, not here")]
    BinaryMode,
    #[error("the body broke off, or is not {0}, as its Content-Encoding says")]
    NotInflatable(&'static str),
    #[error("{IDEMPOTENCY_KEY} is not 1 to {MAX_KEY_CHARS} printable ASCII characters, given once")]
    BadKey,
    #[error("the body did not arrive within {within_ms} ms")]
    Slow { within_ms: u128 },
    #[error("the body broke off")]
    BrokenOff,
    #[error("the body has more than {most} bytes")]
    TooLarge { most: usize },
    #[error("the body has {count} items; at most {most} are taken in one request")]
    TooManyItems { count: usize, most: usize },
    #[error("the body is empty")]
    Empty,
    #[error("byte {at} of the body is not UTF-8")]
    NotUtf8 { at: usize },
    #[error("line {line}, column {column}: {reason}")]
    NotJson {
        line: usize,
        column: usize,
        reason: String,
    },
    #[error("the body is not a JSON array, as application/cloudevents-batch+json is")]
    NotAnArray,
    #[error("too much is in flight")]
    Overloaded,
}

impl RequestError {
    pub(crate) fn not_json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or_default();
        let hint = if reason == "trailing characters" {
            "; several items are sent as a JSON array, or one a line as application/x-ndjson"
        } else {
            ""
        };
        Self::NotJson {
            line: error.line(),
            column: error.column(),
            reason: format!("{reason}{hint}"),
        }
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        use RequestError as E;
        let kind = match error {
            E::MediaType { .. } | E::ContentCoding(_) | E::BinaryMode => {
                ProblemKind::UnsupportedMediaType
            }
            E::BadKey | E::BrokenOff | E::NotInflatable(_) => ProblemKind::BadRequest,
            E::Slow { .. } => ProblemKind::RequestTimeout,
            E::TooLarge { .. } | E::TooManyItems { .. } => ProblemKind::TooLarge,
            E::Empty | E::NotUtf8 { .. } | E::NotJson { .. } => ProblemKind::NotJson,
            E::NotAnArray => ProblemKind::InvalidItem,
            E::Overloaded => ProblemKind::Overloaded,
        };
        let problem = Problem::new(kind, error.to_string());
        match error {
            E::Overloaded => problem.with_retry_after(WHEN_FULL),
            _ => problem,
        }
    }
}

/// Why one item is no event: it was not appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ItemError {
    /// More bytes than an item may have.
    TooLarge { bytes: usize, most: usize },
    /// Arrays and objects nest deeper than an item's may.
    TooDeep { levels: usize, most: usize },
    /// Fields that break rules; at least one.
    Invalid(Vec<Violation>),
    /// Another's event, or nobody's, from one who may tell only of one user.
    WrongUser {
        /// Where the item names its user.
        pointer: &'static str,
        named: Option<UserId>,
        only: UserId,
    },
}

impl ItemError {
    fn kind(&self) -> ProblemKind {
        match self {
            Self::TooLarge { .. } => ProblemKind::TooLarge,
            Self::TooDeep { .. } | Self::Invalid(_) => ProblemKind::InvalidItem,
            Self::WrongUser { .. } => ProblemKind::Forbidden,
        }
    }

    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::TooLarge { bytes, most } => vec![Violation::new(
                "",
                format!("has {bytes} bytes"),
                format!("at most {most} bytes an item"),
            )],
            Self::TooDeep { levels, most } => vec![Violation::new(
                "",
                format!("nests {levels} levels deep"),
                format!("at most {most} levels"),
            )],
            Self::Invalid(violations) => violations.clone(),
            Self::WrongUser {
                pointer,
                named,
                only,
            } => {
                let named = named.as_ref().map(|user| format!("is {user}"));
                let named = named.unwrap_or_else(|| "is missing".to_owned());
                let allowed = format!("{only}, whose token it came with");
                vec![Violation::new(*pointer, named, allowed)]
            }
        }
    }

    /// The problem of the item at `place`: `""` for a body that is the item, `/3` for the fourth of a list.
    pub(crate) fn problem(&self, place: &str) -> Problem {
        let kind = self.kind();
        let violations = self.violations().into_iter();
        let placed: Vec<_> = violations.map(|v| v.with_prefix(place)).collect();
        Problem {
            kind: kind.uri(),
            title: kind.title(),
            status: kind.status().as_u16(),
            ..Problem::from(placed)
        }
    }
}

/// The problem of a list of `count` items that was to be appended whole or not at all: the violations of every bad item,
/// up to a bound.
pub(crate) fn of_all(refused: &[(usize, &ItemError)], count: usize) -> Problem {
    let mut errors = Vec::new();
    for (index, error) in refused {
        let room = MAX_VIOLATIONS - errors.len();
        let violations = error.violations().into_iter().take(room);
        errors.extend(violations.map(|v| FieldError::from(v.with_prefix(&format!("/{index}")))));
    }
    let invalid = refused.len();
    let detail = format!("{invalid} of {count} items are invalid, so none was appended");
    Problem::new(ProblemKind::InvalidItem, detail).with_errors(errors)
}

/// The problem of an event that has no position in the log.
pub(crate) fn of_append(error: AppendError, id: &EventId) -> Problem {
    unappended(error, error.to_string()).with_event_id(id.as_str())
}

/// The problem of a list of `count` events of which none was appended, for certain.
pub(crate) fn of_append_of_all(error: AppendError, count: usize) -> Problem {
    unappended(
        error,
        format!("none of {count} items was appended: {error}"),
    )
}

fn unappended(error: AppendError, detail: String) -> Problem {
    let (kind, retry_after) = match error {
        AppendError::QueueFull => (ProblemKind::Overloaded, Some(WHEN_FULL)),
        AppendError::TooLarge => (ProblemKind::TooLarge, None),
        AppendError::Undelivered(_) => (ProblemKind::LogUnavailable, Some(WHEN_AWAY)),
        AppendError::Unknown => (ProblemKind::OutcomeUnknown, None),
    };
    Problem {
        retry_after,
        ..Problem::new(kind, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(pointer: &str) -> Violation {
        Violation::new(pointer, "is missing", "anything")
    }

    #[test]
    fn a_violation_points_into_the_item_or_into_the_list() {
        let error = ItemError::Invalid(vec![violation("/user_id"), violation("")]);
        let pointers = |place| {
            let errors = error.problem(place).errors;
            errors.into_iter().map(|e| e.pointer).collect::<Vec<_>>()
        };
        assert_eq!(pointers(""), ["/user_id", ""]);
        assert_eq!(pointers("/3"), ["/3/user_id", "/3"]);
    }

    #[test]
    fn a_too_large_item_is_413_and_a_too_deep_one_422() {
        let large = ItemError::TooLarge {
            bytes: 70_000,
            most: 65_536,
        };
        let problem = large.problem("/1");
        assert_eq!((problem.status, problem.kind), (413, "/problems/too-large"));
        assert_eq!(problem.errors[0].pointer, "/1");
        let deep = ItemError::TooDeep {
            levels: 33,
            most: 32,
        };
        assert_eq!(deep.problem("").status, 422);
    }

    #[test]
    fn a_list_refused_as_a_whole_names_every_bad_item_up_to_a_bound() {
        let bad = ItemError::Invalid(vec![violation("/type")]);
        let problem = of_all(&[(1, &bad), (7, &bad)], 9);
        assert_eq!(problem.errors[1].pointer, "/7/type");
        assert!(problem.detail.starts_with("2 of 9 items"), "{problem}");
        let all: Vec<_> = (0..500).map(|index| (index, &bad)).collect();
        let problem = of_all(&all, 500);
        assert_eq!(problem.errors.len(), MAX_VIOLATIONS);
        assert!(problem.detail.starts_with("500 of 500"), "{problem}");
    }

    #[test]
    fn only_a_certain_failure_says_when_to_try_again() {
        use rdkafka::error::RDKafkaErrorCode;
        let id = EventId::new("e1").unwrap();
        for (error, status, retry_after) in [
            (AppendError::QueueFull, 503, Some(WHEN_FULL)),
            (
                AppendError::Undelivered(RDKafkaErrorCode::MessageTimedOut),
                503,
                Some(WHEN_AWAY),
            ),
            (AppendError::TooLarge, 413, None),
            (AppendError::Unknown, 504, None),
        ] {
            let problem = of_append(error, &id);
            assert_eq!((problem.status, problem.retry_after), (status, retry_after));
            assert_eq!(problem.event_id.as_deref(), Some("e1"));
        }
    }
}
