//! The outcome of one fact that was sent.

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
