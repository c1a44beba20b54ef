//! Maps every error of a request or of an item to a problem. No other module chooses a status.

use ess_schema::{EventId, Violation};
use ess_service::problem::{FieldError, Problem, ProblemKind};

use crate::{
    admission::Overloaded,
    body::{items::ItemsError, media_type::MediaTypeError, upload::UploadError},
    decode::{ItemError, ids::InvalidKey},
    kafka::append::AppendError,
};

/// `Retry-After` when a queue or a limit is full, in seconds.
const RETRY_AFTER_QUEUE_FULL: u32 = 1;
/// `Retry-After` when Kafka is unavailable, in seconds.
const RETRY_AFTER_UNAVAILABLE: u32 = 5;
/// The maximum number of violations in one problem.
const MAX_VIOLATIONS: usize = 100;

/// Why a request fails. Nothing was appended; only the outcome of a single item may be unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    #[error(transparent)]
    MediaType(#[from] MediaTypeError),
    #[error(transparent)]
    IdempotencyKey(#[from] InvalidKey),
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    #[error(transparent)]
    Upload(#[from] UploadError),
    #[error(transparent)]
    Items(#[from] ItemsError),
    /// The body is one item, which is invalid.
    #[error("the item is invalid")]
    InvalidItem(ItemError),
    /// The body is a list to be appended completely or not at all.
    #[error("{invalid} of {count} items are invalid; no item was appended")]
    InvalidItems {
        invalid: usize,
        count: usize,
        /// At most [`MAX_VIOLATIONS`], with pointers into the list.
        violations: Vec<Violation>,
    },
    /// The body is one item, which has no position in the log.
    #[error("{error}")]
    NotAppended {
        error: AppendError,
        event_id: EventId,
    },
    /// The body is a list, no item of which is in the log.
    #[error("none of {count} items was appended: {error}")]
    NoneAppended { error: AppendError, count: usize },
}

impl RequestError {
    /// The error of a list of `count` items with these invalid ones, each with its index.
    pub(crate) fn invalid_items(invalid: &[(usize, &ItemError)], count: usize) -> Self {
        let violations = invalid.iter().flat_map(|(index, error)| {
            let base = format!("/{index}");
            let violations = error.violations().into_iter();
            violations.map(move |violation| violation.with_prefix(&base))
        });
        Self::InvalidItems {
            invalid: invalid.len(),
            count,
            violations: violations.take(MAX_VIOLATIONS).collect(),
        }
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        use RequestError as E;
        let detail = error.to_string();
        match error {
            E::MediaType(MediaTypeError::Unsupported { .. } | MediaTypeError::BinaryMode) => {
                Self::new(ProblemKind::UnsupportedMediaType, detail)
            }
            E::IdempotencyKey(InvalidKey) => Self::new(ProblemKind::BadRequest, detail),
            E::Overloaded(Overloaded) => overloaded(detail),
            E::Upload(error) => upload_problem(&error, detail),
            E::Items(error) => Self::new(items_kind(&error), detail),
            E::InvalidItem(error) => item_problem(&error, ""),
            E::InvalidItems { violations, .. } => {
                let errors = violations.into_iter().map(FieldError::from).collect();
                Self::new(ProblemKind::InvalidItem, detail).with_errors(errors)
            }
            E::NotAppended { error, event_id } => append_problem(error, &event_id),
            E::NoneAppended { error, .. } => not_appended(error, detail),
        }
    }
}

/// The problem of an invalid item. `base` is the pointer to the item in the body: `""` for a body that is one item, `/3` for the
/// fourth of a list.
pub(crate) fn item_problem(error: &ItemError, base: &str) -> Problem {
    let kind = match error {
        ItemError::TooLarge { .. } => ProblemKind::TooLarge,
        ItemError::TooDeep { .. } | ItemError::Invalid(_) => ProblemKind::InvalidItem,
        ItemError::WrongUser { .. } => ProblemKind::Forbidden,
    };
    let violations = error.violations().into_iter();
    let violations: Vec<_> = violations.map(|v| v.with_prefix(base)).collect();
    Problem {
        kind: kind.uri(),
        title: kind.title(),
        status: kind.status().as_u16(),
        ..Problem::from(violations)
    }
}

/// The problem of an event that has no position in the log.
pub(crate) fn append_problem(error: AppendError, event_id: &EventId) -> Problem {
    not_appended(error, error.to_string()).with_event_id(event_id.as_str())
}

fn not_appended(error: AppendError, detail: String) -> Problem {
    match error {
        AppendError::QueueFull => overloaded(detail),
        AppendError::TooLarge => Problem::new(ProblemKind::TooLarge, detail),
        AppendError::Undelivered(_) => Problem::new(ProblemKind::LogUnavailable, detail)
            .with_retry_after(RETRY_AFTER_UNAVAILABLE),
        AppendError::Unknown => Problem::new(ProblemKind::OutcomeUnknown, detail),
    }
}

fn upload_problem(error: &UploadError, detail: String) -> Problem {
    let kind = match error {
        UploadError::Overloaded(Overloaded) => return overloaded(detail),
        UploadError::UnsupportedCoding(_) => ProblemKind::UnsupportedMediaType,
        UploadError::TooLarge { .. } => ProblemKind::TooLarge,
        UploadError::Timeout { .. } => ProblemKind::RequestTimeout,
        UploadError::Incomplete | UploadError::Corrupt(_) => ProblemKind::BadRequest,
    };
    Problem::new(kind, detail)
}

const fn items_kind(error: &ItemsError) -> ProblemKind {
    match error {
        ItemsError::Empty | ItemsError::NotUtf8 { .. } | ItemsError::NotJson { .. } => {
            ProblemKind::NotJson
        }
        ItemsError::NotAnArray => ProblemKind::InvalidItem,
        ItemsError::TooMany { .. } => ProblemKind::TooLarge,
    }
}

fn overloaded(detail: String) -> Problem {
    Problem::new(ProblemKind::Overloaded, detail).with_retry_after(RETRY_AFTER_QUEUE_FULL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(pointer: &str) -> Violation {
        Violation::new(pointer, "is missing", "anything")
    }

    #[test]
    fn a_pointer_starts_at_the_item_or_at_the_list() {
        let error = ItemError::Invalid(vec![violation("/user_id"), violation("")]);
        let pointers = |base| {
            let errors = item_problem(&error, base).errors;
            errors.into_iter().map(|e| e.pointer).collect::<Vec<_>>()
        };
        assert_eq!(pointers(""), ["/user_id", ""]);
        assert_eq!(pointers("/3"), ["/3/user_id", "/3"]);
    }

    #[test]
    fn a_too_large_item_is_413_and_a_too_deep_one_422() {
        let large = ItemError::TooLarge {
            bytes: 70_000,
            max: 65_536,
        };
        let problem = item_problem(&large, "/1");
        assert_eq!((problem.status, problem.kind), (413, "/problems/too-large"));
        assert_eq!(problem.errors[0].pointer, "/1");
        let deep = ItemError::TooDeep {
            levels: 33,
            max: 32,
        };
        assert_eq!(item_problem(&deep, "").status, 422);
    }

    #[test]
    fn a_rejected_list_has_the_violations_of_its_invalid_items_up_to_a_maximum() {
        let bad = ItemError::Invalid(vec![violation("/type")]);
        let problem = Problem::from(RequestError::invalid_items(&[(1, &bad), (7, &bad)], 9));
        assert_eq!(problem.errors[1].pointer, "/7/type");
        assert!(problem.detail.starts_with("2 of 9 items"), "{problem}");
        let all: Vec<_> = (0..500).map(|index| (index, &bad)).collect();
        let problem = Problem::from(RequestError::invalid_items(&all, 500));
        assert_eq!(problem.errors.len(), MAX_VIOLATIONS);
        assert!(problem.detail.starts_with("500 of 500"), "{problem}");
    }

    #[test]
    fn only_a_certain_failure_has_retry_after() {
        use rdkafka::error::RDKafkaErrorCode;
        let id = EventId::new("e1").unwrap();
        for (error, status, retry_after) in [
            (AppendError::QueueFull, 503, Some(RETRY_AFTER_QUEUE_FULL)),
            (
                AppendError::Undelivered(RDKafkaErrorCode::MessageTimedOut),
                503,
                Some(RETRY_AFTER_UNAVAILABLE),
            ),
            (AppendError::TooLarge, 413, None),
            (AppendError::Unknown, 504, None),
        ] {
            let problem = append_problem(error, &id);
            assert_eq!((problem.status, problem.retry_after), (status, retry_after));
            assert_eq!(problem.event_id.as_deref(), Some("e1"));
        }
    }
}
