//! The period in which playbacks began.

use ess_schema::Timestamp;
use ess_service::problem::FieldError;

/// The period in which playbacks began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Period {
    /// The earliest time of a first event.
    pub(crate) from: Option<Timestamp>,
    /// The end of the times of first events, exclusive.
    pub(crate) to: Option<Timestamp>,
}

impl Period {
    /// Checks that it does not end before it begins.
    ///
    /// # Errors
    /// `?to`, when it is earlier than `?from`.
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
