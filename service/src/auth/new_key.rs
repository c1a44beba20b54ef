//! Makes API keys. The key itself is shown once and stored nowhere.

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

/// A key to be made.
#[derive(Debug, Clone, Args)]
pub struct NewApiKey {
    /// Who holds it, for logs and answers.
    #[arg(long)]
    name: String,
    /// What it allows, separated by commas: read, write, admin.
    #[arg(long)]
    scopes: Scopes,
    /// Requests a second on average; without it as many as come.
    #[arg(long)]
    requests_per_second: Option<NonZeroU32>,
}

/// A key that was just made: shown, it is the entry for the file of keys, and the key in a comment above it.
#[derive(Debug)]
pub(super) struct Made {
    new: NewApiKey,
    key: String,
}

impl NewApiKey {
    /// Makes it.
    pub(super) fn make(self) -> Made {
        let bytes: [u8; BYTES] = rand::random();
        let key = format!("{PREFIX}{}", hex::encode(bytes));
        Made { new: self, key }
    }

    /// Makes it, and prints it to standard output.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(self) -> io::Result<ExitCode> {
        write!(io::stdout(), "{}", self.make())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NewApiKey {
            name,
            scopes,
            requests_per_second,
        } = &self.new;
        let scopes = scopes.to_string();
        let scopes: Vec<_> = scopes
            .split(' ')
            .map(|scope| format!("{scope:?}"))
            .collect();
        writeln!(f, "# The key, shown only now: {}", self.key)?;
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
    fn what_is_shown_is_an_entry_of_the_file_and_the_key_opens_it() {
        let made = NewApiKey {
            name: "players".to_owned(),
            scopes: "write,read".parse().unwrap(),
            requests_per_second: NonZeroU32::new(7),
        }
        .make();
        let file = made.to_string();
        let keys = ApiKeys::of(File::from_str(&file, FileFormat::Toml)).unwrap();
        let found = keys.find(&made.key).unwrap();
        assert_eq!(&*found.caller.name, "players");
        assert!(found.caller.scopes.allow(Scope::Write) && found.caller.scopes.allow(Scope::Read));
        assert!(found.limit.is_some());
        assert_ne!(made.new.clone().make().key, made.key);
    }
}
