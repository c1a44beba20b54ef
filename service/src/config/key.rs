//! Declarations of configuration keys. `--help`, docs/CONFIGURATION.md and the checks of ranges follow from them.

use std::{fmt, ops::RangeInclusive};

use serde::{Serialize, Serializer};

/// One configuration key: `ENV_NAME` in the environment, `env_name` in the TOML file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ConfigKey {
    /// The name in the environment, `UPPER_SNAKE`.
    #[serde(rename = "key")]
    pub env: &'static str,
    /// The value if neither the environment nor the file sets one; empty: unset.
    pub default: &'static str,
    /// The allowed values.
    pub allowed: Allowed,
    /// The meaning of the key, in one line.
    pub about: &'static str,
    /// Whether the value is a secret, which is never printed.
    pub secret: bool,
}

/// The allowed values of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// Integers in a range, bounds included. [`super::Source`] checks them.
    Integers(u64, u64),
    /// A description. The section checks the value.
    Described(&'static str),
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integers(min, max) => write!(f, "{min} to {max}"),
            Self::Described(text) => f.write_str(text),
        }
    }
}

impl Serialize for Allowed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl ConfigKey {
    /// A key whose allowed values are described by `allowed`.
    pub const fn new(
        env: &'static str,
        default: &'static str,
        allowed: &'static str,
        about: &'static str,
    ) -> Self {
        Self {
            env,
            default,
            allowed: Allowed::Described(allowed),
            about,
            secret: false,
        }
    }

    /// A key whose values are the integers in `range`.
    pub const fn integer(
        env: &'static str,
        default: &'static str,
        range: RangeInclusive<u64>,
        about: &'static str,
    ) -> Self {
        Self {
            allowed: Allowed::Integers(*range.start(), *range.end()),
            ..Self::new(env, default, "", about)
        }
    }

    /// Marks the value as a secret.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }
}

/// The keys of one section under their title.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ConfigSection {
    /// The title in `--help` and in docs/CONFIGURATION.md.
    pub title: &'static str,
    /// The keys.
    pub keys: &'static [ConfigKey],
}
