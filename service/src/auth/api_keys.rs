//! API keys: read from a file that holds only their SHA-256, compared in constant time. A key is 256 random bits
//! ([`super::NewApiKey`]), which nobody can try out: a slow hash, as passwords need it, would only slow down every request.

use std::{num::NonZeroU32, path::Path, sync::Arc};

use config::{Config, File, FileFormat};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Caller, Scope, limit::Limit};

type Hash = [u8; 32];

/// The keys of one file.
#[derive(Debug, Default)]
pub struct ApiKeys(Vec<ApiKey>);

/// One key that is known.
#[derive(Debug)]
pub(super) struct ApiKey {
    hash: Hash,
    pub(super) caller: Caller,
    pub(super) limit: Option<Limit>,
}

/// Why a file of keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read, is not TOML, or has another shape.
    #[error("{0}")]
    Unreadable(#[from] config::ConfigError),
    /// Nobody could call.
    #[error("it holds no [[key]]")]
    Empty,
    /// One key that cannot be used.
    #[error("key {name:?}: {problem}")]
    Key {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: String,
    },
}

/// The file: `[[key]]` as often as there are keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    #[serde(default)]
    key: Vec<KeyEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    /// Who holds it, for logs and answers.
    name: String,
    /// SHA-256 of the key, 64 hexadecimal digits.
    sha256: String,
    scopes: Vec<String>,
    /// Requests a second on average; without it as many as come.
    requests_per_second: Option<NonZeroU32>,
    /// Requests at once; by default those of a second.
    burst: Option<NonZeroU32>,
}

impl ApiKeys {
    /// Reads a file of keys.
    ///
    /// # Errors
    /// What is wrong with it, by key.
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
        let mut keys: Vec<ApiKey> = Vec::with_capacity(entries.len());
        for entry in entries {
            let name = entry.name.clone();
            let problem = |problem| KeyFileError::Key {
                name: name.clone(),
                problem,
            };
            let key = ApiKey::try_from(entry).map_err(problem)?;
            if keys
                .iter()
                .any(|known| known.caller.name == key.caller.name)
            {
                return Err(problem("the name is there twice".to_owned()));
            }
            if keys.iter().any(|known| known.hash == key.hash) {
                return Err(problem("another name has the same key".to_owned()));
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }

    /// The key that `presented` is, if it is one. Every key is compared, whichever it is.
    pub(super) fn find(&self, presented: &str) -> Option<&ApiKey> {
        let hash = hash(presented);
        let mut found = None;
        for key in &self.0 {
            if bool::from(key.hash.ct_eq(&hash)) {
                found = Some(key);
            }
        }
        found
    }
}

pub(super) fn hash(key: &str) -> Hash {
    Sha256::digest(key.as_bytes()).into()
}

impl TryFrom<KeyEntry> for ApiKey {
    type Error = String;

    fn try_from(entry: KeyEntry) -> Result<Self, String> {
        let KeyEntry {
            name,
            sha256,
            scopes,
            requests_per_second,
            burst,
        } = entry;
        let mut hash: Hash = [0; 32];
        hex::decode_to_slice(&sha256, &mut hash)
            .map_err(|_| "sha256 is not 64 hexadecimal digits".to_owned())?;
        let scopes = scopes.iter().map(|scope| scope.parse::<Scope>());
        let scopes: Vec<Scope> = scopes
            .collect::<Result<_, _>>()
            .map_err(|e| e.to_string())?;
        if name.is_empty() || scopes.is_empty() {
            return Err("name and scopes must not be empty".to_owned());
        }
        if burst.is_some() && requests_per_second.is_none() {
            return Err("burst means nothing without requests_per_second".to_owned());
        }
        let limit = requests_per_second
            .map(|per_second| Limit::new(per_second, burst.unwrap_or(per_second)));
        Ok(Self {
            hash,
            caller: Caller {
                name: Arc::from(name),
                scopes: scopes.into_iter().collect(),
                only_user: None,
            },
            limit,
        })
    }
}
