//! Reads the sections of a service from environment, TOML file and defaults, in this order of precedence.
//! It reads the keys of the service only; other environment variables have no effect.

use std::{collections::HashMap, path::Path, time::Duration};

use config::{Config, Environment, File, FileFormat, Value};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{Allowed, ConfigError, ConfigKey, ConfigSection, secret::redact};

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

/// The values of a service's keys, resolved but not yet typed.
#[derive(Debug)]
pub struct Source {
    values: Config,
    keys: Vec<ConfigKey>,
}

impl Source {
    /// Resolves the keys of `S`. An empty environment variable counts as unset, because compose files set such.
    ///
    /// # Errors
    /// A file that cannot be read, or sets a key that `S` does not have.
    pub fn open<S: Settings>(
        file: Option<&Path>,
        environment: HashMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let keys: Vec<ConfigKey> = S::keys().copied().collect();
        let known = environment
            .into_iter()
            .filter(|(name, _)| keys.iter().any(|key| key.env == name))
            .collect();
        let mut builder = Config::builder();
        for key in keys.iter().filter(|key| !key.default.is_empty()) {
            builder = builder
                .set_default(key.env.to_lowercase(), key.default)
                .map_err(|e| ConfigError::from_value(&keys, e))?;
        }
        for (name, value) in file
            .map(|file| file_values(file, &keys))
            .transpose()?
            .unwrap_or_default()
        {
            builder = builder
                .set_override(name, value)
                .map_err(|e| ConfigError::from_value(&keys, e))?;
        }
        let file_and_defaults = builder
            .build()
            .map_err(|e| ConfigError::from_value(&keys, e))?;
        let values = Config::builder()
            .add_source(file_and_defaults)
            .add_source(
                Environment::default()
                    .ignore_empty(true)
                    .source(Some(known)),
            )
            .build()
            .map_err(|e| ConfigError::from_value(&keys, e))?;
        Ok(Self { values, keys })
    }

    /// Reads and checks one section.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with the key and the problem.
    pub fn section<T: Section>(&self) -> Result<T, ConfigError> {
        self.ranged::<T>(T::KEYS)?.checked()
    }

    /// Reads `keys` as the fields of `T`, and checks the ranges of integers.
    pub(crate) fn ranged<T: DeserializeOwned>(&self, keys: &[ConfigKey]) -> Result<T, ConfigError> {
        let values = self.values.clone();
        let typed = values
            .try_deserialize()
            .map_err(|e| ConfigError::from_value(&self.keys, e))?;
        for key in keys {
            if let Allowed::Integers(min, max) = key.allowed {
                ConfigError::check_range(keys, key.env, &self.value::<u64>(key)?, &(min..=max))?;
            }
        }
        Ok(typed)
    }

    /// Reads one key as `T`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with the key and the problem.
    pub fn value<'de, T: Deserialize<'de>>(&self, key: &ConfigKey) -> Result<T, ConfigError> {
        let name = key.env.to_lowercase();
        self.values
            .get(&name)
            .map_err(|e| ConfigError::from_value(&self.keys, e))
    }

    /// Every key with its effective value, one `KEY=value` per line; secrets are redacted.
    pub fn effective(&self) -> String {
        let line = |key: &ConfigKey| {
            let value = self
                .values
                .get_string(&key.env.to_lowercase())
                .unwrap_or_default();
            let shown = if key.secret { redact(&value) } else { &value };
            format!("{}={shown}\n", key.env)
        };
        self.keys.iter().map(line).collect()
    }
}

fn file_values(file: &Path, keys: &[ConfigKey]) -> Result<HashMap<String, Value>, ConfigError> {
    let refused = |e: config::ConfigError| ConfigError::File {
        file: file.to_owned(),
        problem: e.to_string(),
    };
    let table = Config::builder()
        .add_source(File::from(file).format(FileFormat::Toml))
        .build()
        .map_err(refused)?;
    let values: HashMap<String, Value> = table.try_deserialize().map_err(refused)?;
    let known = |name: &str| keys.iter().any(|key| key.env.to_lowercase() == name);
    match values.keys().find(|name| !known(name)) {
        Some(name) => Err(ConfigError::UnknownKey {
            file: file.to_owned(),
            key: name.clone(),
        }),
        None => Ok(values),
    }
}

/// For `#[serde(deserialize_with = "millis")]`: a key in milliseconds as a [`Duration`].
///
/// # Errors
/// A value that is not an integer.
pub fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}
