//! The question how the plays of a track held their listeners.

use super::period::Period;

/// The plays of a track that began in a period.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Plays {
    pub(crate) track_id: String,
    pub(crate) period: Period,
}
