//! The parameters of questions about many playbacks that are one of a few names: what is ranked and by what, a state, a time zone,
//! yes or no.

use poem_openapi::registry::MetaSchema;

use super::{Parameter, report::shown};
use crate::question::{Attribute, Metric, Refusal};

/// The longest name of a time zone.
const LONGEST_ZONE: usize = 64;

/// The canonical name of an IANA time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone(pub(crate) String);

/// What is ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ranked(pub(crate) Attribute);

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RankedBy(pub(crate) Metric);

/// A state that a playback can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StateName(pub(crate) &'static str);

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flag(pub(crate) bool);

impl Default for Zone {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

fn one_of(names: impl Iterator<Item = &'static str>) -> MetaSchema {
    MetaSchema {
        enum_items: names.map(Into::into).collect(),
        ..MetaSchema::new("string")
    }
}

impl Parameter for Zone {
    fn schema() -> MetaSchema {
        MetaSchema {
            pattern: Some("^[A-Za-z][A-Za-z0-9_+/-]*$".to_owned()),
            max_length: Some(LONGEST_ZONE),
            default: Some("UTC".into()),
            example: Some("Europe/Berlin".into()),
            ..MetaSchema::new("string")
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        let found = jiff::tz::TimeZone::get(text).ok();
        found
            .as_ref()
            .and_then(jiff::tz::TimeZone::iana_name)
            .map(|name| Self(name.to_owned()))
            .ok_or_else(|| Refusal {
                detail: format!("{:?} is no time zone", shown(text)),
                allowed: "a name of the IANA time zone database, such as Europe/Berlin".to_owned(),
            })
    }
}

impl Parameter for Ranked {
    fn schema() -> MetaSchema {
        one_of(Attribute::GROUPS.into_iter().map(Attribute::plural))
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        let found = Attribute::GROUPS.into_iter().find(|of| of.plural() == text);
        found.map(Self).ok_or_else(|| Refusal {
            detail: format!("{:?} cannot be ranked", shown(text)),
            allowed: Attribute::GROUPS.map(Attribute::plural).join(", "),
        })
    }
}

impl Parameter for RankedBy {
    fn schema() -> MetaSchema {
        MetaSchema {
            default: Some(Metric::Plays.name().into()),
            ..one_of(Metric::ALL.into_iter().map(Metric::name))
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        Metric::from_name(text).map(Self).ok_or_else(|| Refusal {
            detail: format!("{:?} is no metric", shown(text)),
            allowed: Metric::names(),
        })
    }
}

const STATES: [&str; 5] = ["playing", "paused", "finished", "failed", "abandoned"];

impl Parameter for StateName {
    fn schema() -> MetaSchema {
        one_of(STATES.into_iter())
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        let found = STATES.into_iter().find(|state| *state == text);
        found.map(Self).ok_or_else(|| Refusal {
            detail: format!("{:?} is no state", shown(text)),
            allowed: STATES.join(", "),
        })
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
        match text {
            "true" => Ok(Self(true)),
            "false" => Ok(Self(false)),
            other => Err(Refusal {
                detail: format!("{:?} is neither", shown(other)),
                allowed: "true or false".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_zones_are_those_that_there_are() {
        assert_eq!(
            Zone::read("europe/berlin").unwrap().0,
            "Europe/Berlin",
            "the read model knows one spelling only"
        );
        for bad in ["Mars/Olympus", "", "UTC'; --", "+02:00", "../etc/passwd"] {
            assert!(Zone::read(bad).is_err(), "{bad}");
        }
    }
}
