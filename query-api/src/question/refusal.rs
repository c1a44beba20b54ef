//! Why the text of a value is refused.

/// Why a value is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What is wrong with it.
    pub(crate) detail: String,
    /// What is allowed.
    pub(crate) allowed: String,
}
