//! The question about the retention of a track.

use super::period::Period;

/// The plays of a track that began in a period.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RetentionQuestion {
    pub(crate) track_id: String,
    pub(crate) period: Period,
}
