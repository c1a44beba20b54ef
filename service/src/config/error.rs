//! Why a configuration is refused, in words that name the key and tell what would be accepted.

use std::{ops::RangeInclusive, path::PathBuf};

use super::ConfigKey;

/// A configuration that cannot be used. The process exits 64 (`EX_USAGE` of sysexits.h) on it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// A value that is not among the allowed ones.
    #[error("{key}: {problem}{}", allowed.as_ref().map(|allowed| format!("; allowed: {allowed}")).unwrap_or_default())]
    Invalid {
        /// The key's name in the environment.
        key: String,
        /// What is wrong with the value.
        problem: String,
        /// What would be accepted.
        allowed: Option<&'static str>,
    },
    /// A key in the TOML file that this service does not read.
    #[error("{}: unknown key `{key}`; --help lists the known ones", file.display())]
    UnknownKey {
        /// The TOML file.
        file: PathBuf,
        /// The key as written.
        key: String,
    },
    /// A TOML file that cannot be read or parsed.
    #[error("{}: {problem}", file.display())]
    File {
        /// The TOML file.
        file: PathBuf,
        /// The reader's or parser's words.
        problem: String,
    },
}

impl ConfigError {
    /// A value of `key` that is refused because of `problem`; what is allowed comes from the key's own table entry.
    pub fn invalid(keys: &[ConfigKey], key: &str, problem: impl Into<String>) -> Self {
        let allowed = keys
            .iter()
            .find(|known| known.env == key)
            .map(|known| known.allowed);
        Self::Invalid {
            key: key.to_owned(),
            problem: problem.into(),
            allowed,
        }
    }

    /// Refuses a number outside `range`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] naming the key.
    pub fn check_range<N: PartialOrd + std::fmt::Display>(
        keys: &[ConfigKey],
        key: &str,
        value: &N,
        range: &RangeInclusive<N>,
    ) -> Result<(), Self> {
        if range.contains(value) {
            Ok(())
        } else {
            Err(Self::invalid(keys, key, format!("{value} is out of range")))
        }
    }

    /// Translates the `config` crate's error about a typed value.
    pub(super) fn from_value(keys: &[ConfigKey], error: config::ConfigError) -> Self {
        use config::ConfigError as E;
        match error {
            E::Type {
                unexpected,
                expected,
                key: Some(key),
                ..
            } => Self::invalid(
                keys,
                &key.to_uppercase(),
                format!("{unexpected} is not {expected}"),
            ),
            E::At {
                error,
                key: Some(key),
                ..
            } => Self::invalid(keys, &key.to_uppercase(), error.to_string()),
            E::NotFound(key) => Self::invalid(keys, &key.to_uppercase(), "a value is required"),
            other => Self::Invalid {
                key: "configuration".to_owned(),
                problem: other.to_string(),
                allowed: None,
            },
        }
    }
}
