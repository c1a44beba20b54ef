//! What a service declares about its configuration: keys, sections of keys, and all sections of a service. `--help`,
//! docs/CONFIGURATION.md and the checks of ranges follow from these declarations.

use std::{fmt, ops::RangeInclusive};

use serde::{Serialize, Serializer, de::DeserializeOwned};

use super::{ConfigError, Source};

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
    /// Integers in a range, bounds included. [`Source`] checks them.
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

/// One concern's configuration: a struct whose fields are renamed to the lower-case keys of [`Section::KEYS`].
///
/// Defaults live in `KEYS` alone; a key whose default is empty needs `#[serde(default)]` on its field.
pub trait Section: DeserializeOwned {
    /// The section's title.
    const TITLE: &'static str;
    /// Every key the section reads.
    const KEYS: &'static [ConfigKey];
    /// Title and keys together, for [`Settings::SECTIONS`].
    const SECTION: ConfigSection = ConfigSection {
        title: Self::TITLE,
        keys: Self::KEYS,
    };

    /// Checks what the ranges of [`ConfigKey::integer`] do not cover, and fills in values that depend on others.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with the key and the problem.
    fn checked(self) -> Result<Self, ConfigError> {
        Ok(self)
    }
}

/// The entire configuration of one service.
pub trait Settings: Sized {
    /// The binary's name.
    const SERVICE: &'static str;
    /// The binary's purpose, the first line of `--help`.
    const ABOUT: &'static str;
    /// Every section: `--help` lists their keys, and the TOML file may set no others.
    const SECTIONS: &'static [ConfigSection];

    /// Reads all sections.
    ///
    /// # Errors
    /// The first [`ConfigError`].
    fn read(source: &Source) -> Result<Self, ConfigError>;

    /// The keys of all [`Settings::SECTIONS`].
    fn keys() -> impl Iterator<Item = &'static ConfigKey> {
        Self::SECTIONS.iter().flat_map(|section| section.keys)
    }
}
