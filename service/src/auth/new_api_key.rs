//! Generates API keys. It prints a key once and stores it nowhere.

use std::{
    fmt,
    io::{self, Write as _},
    num::NonZeroU32,
    process::ExitCode,
};

use clap::Args;

use super::{Scopes, api_keys};

const PREFIX: &str = "ess_";
const BYTES: usize = 32;

/// The API key to generate.
#[derive(Debug, Clone, Args)]
pub struct NewApiKey {
    /// Name of the holder, for logs and responses.
    #[arg(long)]
    name: String,
    /// Scopes, separated by commas: read, write, admin.
    #[arg(long)]
    scopes: Scopes,
    /// Average requests per second; unlimited if not set.
    #[arg(long)]
    requests_per_second: Option<NonZeroU32>,
}

/// A generated key. Its text is an entry for the key file, with the key in a comment above.
#[derive(Debug)]
pub(super) struct GeneratedKey {
    request: NewApiKey,
    key: String,
}

impl NewApiKey {
    pub(super) fn generate(self) -> GeneratedKey {
        let bytes: [u8; BYTES] = rand::random();
        let key = format!("{PREFIX}{}", hex::encode(bytes));
        GeneratedKey { request: self, key }
    }

    /// Generates the key and prints it to standard output.
    ///
    /// # Errors
    /// When writing fails.
    pub fn print(self) -> io::Result<ExitCode> {
        write!(io::stdout(), "{}", self.generate())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl fmt::Display for GeneratedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NewApiKey {
            name,
            scopes,
            requests_per_second,
        } = &self.request;
        let scopes = scopes.to_string();
        let scopes: Vec<_> = scopes
            .split(' ')
            .map(|scope| format!("{scope:?}"))
            .collect();
        writeln!(f, "# The API key, printed only once: {}", self.key)?;
        writeln!(f, "[[key]]")?;
        writeln!(f, "name = {name:?}")?;
        writeln!(f, "sha256 = {:?}", hex::encode(api_keys::hash(&self.key)))?;
        writeln!(f, "scopes = [{}]", scopes.join(", "))?;
        match requests_per_second {
            Some(rate) => writeln!(f, "requests_per_second = {rate}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use config::{File, FileFormat};

    use super::*;
    use crate::auth::{ApiKeys, Scope};

    #[test]
    fn the_printed_entry_is_valid_and_the_key_is_found_in_it() {
        let generated = NewApiKey {
            name: "players".to_owned(),
            scopes: "write,read".parse().unwrap(),
            requests_per_second: NonZeroU32::new(7),
        }
        .generate();
        let file = generated.to_string();
        let keys = ApiKeys::of(File::from_str(&file, FileFormat::Toml)).unwrap();
        let found = keys.find(&generated.key).unwrap();
        assert_eq!(&*found.caller.name, "players");
        assert!(found.caller.scopes.allow(Scope::Write) && found.caller.scopes.allow(Scope::Read));
        assert!(found.limit.is_some());
        assert_ne!(generated.request.clone().generate().key, generated.key);
    }
}
