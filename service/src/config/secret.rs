//! A value that must never appear in a log, a page or an error message.

use std::fmt;

use serde::Deserialize;

/// A secret string. `Debug` shows only whether it is set; reading it takes [`Secret::expose`].
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself. Only the code that uses it calls this.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(redact(&self.0))
    }
}

/// The text printed in place of a secret: whether it is set.
pub(super) fn redact(value: &str) -> &'static str {
    if value.is_empty() { "(unset)" } else { "(set)" }
}
