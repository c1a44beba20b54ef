//! What is wrong with one field of an item, in words its sender can act on.
//! Never carries a whole item: values are quoted shortened.

use std::fmt;

use serde::Serialize;

/// One field that breaks a rule: where it is, what is wrong with it, what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Violation {
    /// JSON Pointer (RFC 6901) into the item, e.g. `/data/from_ms`; empty for the item as a whole.
    pub pointer: String,
    /// The value's problem, e.g. `is a string ("10"), not an integer`.
    pub detail: String,
    /// What is allowed, e.g. `an integer from 0 to 1000000000000 (ms)`.
    pub allowed: String,
}

impl Violation {
    /// A violation at `pointer`.
    pub fn new(
        pointer: impl Into<String>,
        detail: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
            allowed: allowed.into(),
        }
    }

    /// The same violation with its pointer moved below `prefix` (e.g. `/3` for the fourth item).
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() {
            "the item"
        } else {
            &self.pointer
        };
        write!(f, "{place} {}; allowed: {}", self.detail, self.allowed)
    }
}

/// `text` cut to 40 characters, for quoting a value inside a message.
pub(crate) fn shortened(text: &str) -> String {
    let mut quoted: String = text.chars().take(40).collect();
    if quoted.len() < text.len() {
        quoted.push('…');
    }
    quoted
}
