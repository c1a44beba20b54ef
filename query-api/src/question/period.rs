//! When the playbacks began that a question is about.

use ess_schema::Timestamp;
use ess_service::problem::FieldError;

/// When the playbacks began that are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Period {
    /// The earliest first event.
    pub(crate) from: Option<Timestamp>,
    /// Just past the latest first event.
    pub(crate) to: Option<Timestamp>,
}

impl Period {
    /// Checks that it is one.
    ///
    /// # Errors
    /// `?to`, when it is not later than `?from`.
    pub(crate) fn new(from: Option<Timestamp>, to: Option<Timestamp>) -> Result<Self, FieldError> {
        match (from, to) {
            (Some(from), Some(to)) if to < from => Err(FieldError {
                pointer: "?to".to_owned(),
                detail: format!("{to} is earlier than ?from, {from}"),
                allowed: Some("?from or a later time".to_owned()),
            }),
            _ => Ok(Self { from, to }),
        }
    }
}
