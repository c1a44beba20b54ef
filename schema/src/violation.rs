//! A rule that one field of an item violates, in words that the sender can act on.
//! Never contains an entire item: quoted values are shortened.

use std::fmt;

use serde::Serialize;

/// One field that violates a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Violation {
    /// JSON Pointer (RFC 6901) into the item, e.g. `/data/from_ms`; empty for the entire item.
    pub pointer: String,
    /// What is wrong with the value, e.g. `is a string ("10"), not an integer`.
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

    /// The same violation with `prefix` before its pointer (e.g. `/3` for the fourth item).
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() {
            "the item"
        } else {
            &self.pointer
        };
        write!(f, "{pointer} {}; allowed: {}", self.detail, self.allowed)
    }
}

/// `text` truncated to 40 characters, for quoting a value in a message.
pub(crate) fn shortened(text: &str) -> String {
    let mut quoted: String = text.chars().take(40).collect();
    if quoted.len() < text.len() {
        quoted.push('…');
    }
    quoted
}
