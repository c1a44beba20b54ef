//! API keys, read from a file that holds only their SHA-256 hashes. A key is 256 random bits ([`super::NewApiKey`]), which
//! cannot be guessed: a slow hash, as passwords need it, would only slow down every request.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroU32,
    path::Path,
    sync::Arc,
};

use config::{Config, File, FileFormat};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{Caller, Scope, rate_limit::RateLimit};

type Hash = [u8; 32];

/// The keys of one file, by their hashes.
///
/// The time of a look-up may depend on the presented key only through its SHA-256 hash. A caller cannot choose that hash,
/// so that the time reveals nothing about the hashes in the file, and comparing in constant time is not needed.
#[derive(Debug, Default)]
pub struct ApiKeys(HashMap<Hash, ApiKey>);

/// The holder of one key.
#[derive(Debug)]
pub(super) struct ApiKey {
    pub(super) caller: Caller,
    pub(super) limit: Option<RateLimit>,
}

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read, is not TOML, or has unknown fields.
    #[error("{0}")]
    Unreadable(#[from] config::ConfigError),
    /// It has no entries.
    #[error("no [[key]] entries")]
    Empty,
    /// An entry is invalid.
    #[error("key {name:?}: {problem}")]
    Key {
        /// The name of the entry.
        name: String,
        /// The problem.
        problem: String,
    },
}

/// The file: one `[[key]]` entry per key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    #[serde(default)]
    key: Vec<KeyEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    /// The name of the holder, for logs and responses.
    name: String,
    /// SHA-256 of the key, 64 hexadecimal digits.
    sha256: String,
    scopes: Vec<String>,
    /// Average requests per second; unset: unlimited.
    requests_per_second: Option<NonZeroU32>,
    /// Requests at once; default: `requests_per_second`.
    burst: Option<NonZeroU32>,
}

impl ApiKeys {
    /// Reads a key file.
    ///
    /// # Errors
    /// The problem, with the name of the entry.
    pub fn read(file: &Path) -> Result<Self, KeyFileError> {
        Self::of(File::from(file).format(FileFormat::Toml))
    }

    pub(super) fn of(
        source: impl config::Source + Send + Sync + 'static,
    ) -> Result<Self, KeyFileError> {
        let file = Config::builder().add_source(source).build()?;
        let KeyFile { key: entries } = file.try_deserialize()?;
        if entries.is_empty() {
            return Err(KeyFileError::Empty);
        }
        let mut keys = HashMap::with_capacity(entries.len());
        let mut names = HashSet::new();
        for entry in entries {
            let name = entry.name.clone();
            let problem = |problem: &str| KeyFileError::Key {
                name: name.clone(),
                problem: problem.to_owned(),
            };
            let (hash, key) = entry.into_key().map_err(|error| problem(&error))?;
            if !names.insert(Arc::clone(&key.caller.name)) {
                return Err(problem("the name is not unique"));
            }
            if keys.insert(hash, key).is_some() {
                return Err(problem("another entry has the same sha256"));
            }
        }
        Ok(Self(keys))
    }

    /// The key that `presented` is, if it is known.
    pub(super) fn find(&self, presented: &str) -> Option<&ApiKey> {
        self.0.get(&hash(presented))
    }
}

pub(super) fn hash(key: &str) -> Hash {
    Sha256::digest(key.as_bytes()).into()
}

impl KeyEntry {
    fn into_key(self) -> Result<(Hash, ApiKey), String> {
        let Self {
            name,
            sha256,
            scopes,
            requests_per_second,
            burst,
        } = self;
        let mut hash: Hash = [0; 32];
        hex::decode_to_slice(&sha256, &mut hash)
            .map_err(|_| "sha256 is not 64 hexadecimal digits".to_owned())?;
        if name.is_empty() || scopes.is_empty() {
            return Err("name and scopes must not be empty".to_owned());
        }
        let scopes = scopes.iter().map(|scope| scope.parse::<Scope>());
        let scopes = scopes
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?;
        if burst.is_some() && requests_per_second.is_none() {
            return Err("burst needs requests_per_second".to_owned());
        }
        let limit = requests_per_second
            .map(|per_second| RateLimit::new(per_second, burst.unwrap_or(per_second)));
        let caller = Caller {
            name: Arc::from(name),
            scopes,
            only_user: None,
        };
        Ok((hash, ApiKey { caller, limit }))
    }
}
