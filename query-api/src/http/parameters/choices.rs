//! Parameters that are one of a few words.

use poem_openapi::registry::MetaSchema;

use super::{Parameter, excerpt};
use crate::question::{Attribute, LagBucket, LagBy, Metric, Refusal, joined};

/// What is ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ranked(pub(crate) Attribute);

/// The metric that ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RankedBy(pub(crate) Metric);

/// The state of a playback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StateName(pub(crate) &'static str);

/// A boolean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flag(pub(crate) bool);

const STATES: [&str; 5] = ["playing", "paused", "finished", "failed", "abandoned"];

fn schema(words: impl IntoIterator<Item = &'static str>) -> MetaSchema {
    MetaSchema {
        enum_items: words.into_iter().map(Into::into).collect(),
        ..MetaSchema::new("string")
    }
}

/// The choice whose word `text` is; `what` is the kind of the choices in words.
fn read<T: Copy>(
    text: &str,
    what: &str,
    choices: impl IntoIterator<Item = T, IntoIter: Clone>,
    word: impl Fn(T) -> &'static str,
) -> Result<T, Refusal> {
    let mut choices = choices.into_iter();
    let all = choices.clone();
    let found = choices.find(|choice| word(*choice) == text);
    found.ok_or_else(|| Refusal {
        detail: format!("unknown {what} {:?}", excerpt(text)),
        allowed: format!("one of {}", joined(all.map(word))),
    })
}

impl Parameter for LagBy {
    fn schema() -> MetaSchema {
        schema(Self::ALL.map(Self::name))
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        read(text, "grouping", Self::ALL, Self::name)
    }
}

impl Parameter for LagBucket {
    fn schema() -> MetaSchema {
        schema(Self::ALL.map(Self::name))
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        read(text, "time bucket", Self::ALL, Self::name)
    }
}

impl Parameter for Ranked {
    fn schema() -> MetaSchema {
        schema(Attribute::dimensions().map(Attribute::plural))
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        read(text, "ranking", Attribute::dimensions(), Attribute::plural).map(Self)
    }
}

impl Parameter for RankedBy {
    fn schema() -> MetaSchema {
        MetaSchema {
            default: Some(Metric::Plays.name().into()),
            ..schema(Metric::names())
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        read(text, "metric", Metric::ALL, Metric::name).map(Self)
    }
}

impl Parameter for StateName {
    fn schema() -> MetaSchema {
        schema(STATES)
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        read(text, "state", STATES, |state| state).map(Self)
    }
}

impl Parameter for Flag {
    fn schema() -> MetaSchema {
        MetaSchema {
            default: Some(false.into()),
            ..MetaSchema::new("boolean")
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        text.parse().map(Self).map_err(|_| Refusal {
            detail: format!("{:?} is not a boolean", excerpt(text)),
            allowed: "true or false".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_refused_with_the_known_ones() {
        assert_eq!(LagBucket::read("hour"), Ok(LagBucket::Hour));
        for bad in ["", "Hour", "hours", "3600"] {
            let refusal = LagBucket::read(bad).unwrap_err();
            assert_eq!(refusal.allowed, "one of second, minute, hour, day", "{bad}");
        }
        assert_eq!(LagBy::read("test_id"), Ok(LagBy::TestId));
        let refusal = RankedBy::read("nope").unwrap_err();
        assert_eq!(refusal.detail, "unknown metric \"nope\"");
    }
}
