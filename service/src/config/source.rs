//! Where values come from: environment over TOML file over the defaults of the key table.
//! It reads the known keys only, so that no other variable of the environment can matter.

use std::{collections::HashMap, path::Path, time::Duration};

use config::{Config, Environment, File, FileFormat, Value};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{ConfigError, ConfigKey, Section, Settings, secret::redact};

/// The values of one service's known keys, resolved but not yet typed.
#[derive(Debug)]
pub struct Source {
    values: Config,
    keys: Vec<ConfigKey>,
}

impl Source {
    /// Resolves the known keys of `S`. An empty environment variable counts as unset, as compose files produce them.
    ///
    /// # Errors
    /// A file that cannot be read, or holds a key that `S` does not know.
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
    /// [`ConfigError::Invalid`] naming the key.
    pub fn section<T: Section>(&self) -> Result<T, ConfigError> {
        self.typed::<T>()?.checked()
    }

    /// Reads several keys as the fields of `T`, unchecked.
    pub(super) fn typed<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let values = self.values.clone();
        values
            .try_deserialize()
            .map_err(|e| ConfigError::from_value(&self.keys, e))
    }

    /// Reads one key as `T`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] naming the key.
    pub fn value<'de, T: Deserialize<'de>>(&self, key: &ConfigKey) -> Result<T, ConfigError> {
        let name = key.env.to_lowercase();
        self.values
            .get(&name)
            .map_err(|e| ConfigError::from_value(&self.keys, e))
    }

    /// Every known key with its value in effect, secrets left out, one `KEY=value` a line.
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
/// When the value is not a whole number.
pub fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}
