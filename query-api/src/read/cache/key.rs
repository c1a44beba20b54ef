//! The key of an answer.

use crate::question::Question;

/// A question to one generation.
pub(super) type Key = (u32, Question);
