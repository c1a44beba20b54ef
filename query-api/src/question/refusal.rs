//! The reason why the text of a value is refused.

/// The reason why a value is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What is wrong with it.
    pub(crate) detail: String,
    /// What is allowed.
    pub(crate) allowed: String,
}

/// Names as a message lists them.
pub(crate) fn joined(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
