//! Why a configuration is rejected: the key, the problem, and the allowed values.

use std::{ops::RangeInclusive, path::PathBuf};

use super::{Allowed, ConfigKey};

/// An invalid configuration. The process exits with 64 (`EX_USAGE` of sysexits.h).
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// A value that is not among the allowed ones.
    #[error("{key}: {problem}{}", allowed.as_ref().map(|allowed| format!("; allowed: {allowed}")).unwrap_or_default())]
    Invalid {
        /// The key's name in the environment.
        key: String,
        /// What is wrong with the value.
        problem: String,
        /// The allowed values.
        allowed: Option<Allowed>,
    },
    /// A key in the TOML file that this service does not have.
    #[error("{}: unknown key `{key}`; --help lists all keys", file.display())]
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
        /// The error of the reader or parser.
        problem: String,
    },
}

impl ConfigError {
    /// An invalid value of `key`; the allowed values are those that `keys` declares for it.
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

    /// Checks that `value` is in `range`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with the key and the value.
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

    /// Converts an error of the crate `config` about a value.
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
