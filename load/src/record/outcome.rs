//! The outcome of a request, and of each of its facts.

use std::time::Duration;

use ess_schema::Position;

/// The outcome of one request.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    /// One for each fact, in their order.
    pub(crate) outcomes: Vec<Outcome>,
    /// The HTTP status, if there was a response.
    pub(crate) status: Option<u16>,
    /// Where the acknowledged facts are in the log, as far as the response says.
    pub(crate) positions: Vec<Position>,
    /// `Retry-After`: how long to wait before a retry.
    pub(crate) retry_after: Option<Duration>,
    /// How often facts of it were sent again.
    pub(crate) retries: u64,
}

/// Whether a fact is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is in the log.
    Acknowledged,
    /// It is not in the log, and sending it again would not change that.
    Refused(Reason),
    /// No response says so. It may be sent again under the same id.
    Unknown(Reason),
}

/// Why a fact was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// One of few; equal causes have equal kinds.
    pub(crate) kind: String,
    /// This occurrence.
    pub(crate) detail: String,
}
