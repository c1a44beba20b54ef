//! The types of parameters: how each is read from text and documented. They must not know which operation uses them.

mod choices;
mod lists;
mod numbers;
mod texts;

pub(super) use self::{
    choices::{Flag, Ranked, RankedBy, StateName},
    lists::{Dimensions, Filters, Metrics, Order},
    numbers::{Limit, Offset, ReportLimit},
    texts::{After, Zone},
};
use poem_openapi::registry::MetaSchema;

use crate::question::Refusal;

/// The value of a parameter.
pub(super) trait Parameter: Sized + Send + Sync {
    /// Its schema in the document.
    fn schema() -> MetaSchema;

    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with the text, and what is allowed.
    fn read(text: &str) -> Result<Self, Refusal>;
}

/// The beginning of a text, for messages.
fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}
