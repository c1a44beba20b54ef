//! The command line every service has: `--config`, `--check-config`, and a `--help` that lists every key.
//! It prints and returns an exit code; only `main` ends the process.

use std::{env, fmt::Write as _, io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory, Parser};

use super::{ConfigKey, Settings, Source};

/// `EX_USAGE` of sysexits.h: the command line or the configuration is wrong, and a restart will not help.
const EX_USAGE: u8 = 64;

/// The options that choose and check the configuration; flatten it into a service's own command line.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    /// TOML file with the keys below in lower case; the environment wins over it.
    #[arg(long, value_name = "FILE", env = "ESS_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// Validate the configuration, print what is in effect without secrets, and exit.
    #[arg(long, global = true)]
    pub check_config: bool,
}

impl ConfigArgs {
    /// Reads the configuration.
    ///
    /// # Errors
    /// The code to exit with: 64 after a configuration error was printed, 0 after `--check-config` printed a valid one.
    pub fn load<S: Settings>(&self) -> Result<S, ExitCode> {
        // Variables whose name or value is not Unicode cannot be ours; `vars()` would panic on them.
        let environment = env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect();
        let read = Source::open::<S>(self.config.as_deref(), environment)
            .and_then(|source| Ok((S::read(&source)?, source)));
        match read {
            Ok((_, source)) if self.check_config => {
                let _ = write!(std::io::stdout(), "{}", source.effective());
                Err(ExitCode::SUCCESS)
            }
            Ok((settings, _)) => Ok(settings),
            Err(error) => {
                let _ = writeln!(
                    std::io::stderr(),
                    "{}: configuration error: {error}",
                    S::SERVICE
                );
                Err(ExitCode::from(EX_USAGE))
            }
        }
    }
}

#[derive(Parser)]
struct Plain {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Parses the command line of a service without sub-commands and reads its configuration.
///
/// # Errors
/// The code to exit with, everything having been printed.
pub fn load<S: Settings>() -> Result<S, ExitCode> {
    parse_arguments::<Plain, S>()?.config.load()
}

/// Parses a service's own command line `A`, with `S`'s name and key table in its help.
///
/// # Errors
/// The code to exit with after `--help`, `--version` or a wrong command line, everything having been printed.
pub fn parse_arguments<A: Parser, S: Settings>() -> Result<A, ExitCode> {
    let command = <A as CommandFactory>::command()
        .name(S::SERVICE)
        .version(env!("CARGO_PKG_VERSION"))
        .about(S::ABOUT);
    let parsed = command
        .after_help(key_table(S::keys()))
        .try_get_matches()
        .and_then(|m| A::from_arg_matches(&m));
    parsed.map_err(|error| {
        let _ = error.print();
        if error.use_stderr() {
            ExitCode::from(EX_USAGE)
        } else {
            ExitCode::SUCCESS
        }
    })
}

fn key_table<'k>(keys: impl Iterator<Item = &'k ConfigKey>) -> String {
    let mut table = String::from(
        "Configuration (environment; the same keys in lower case in the TOML file):\n",
    );
    for key in keys {
        let default = if key.default.is_empty() {
            String::new()
        } else {
            format!(" [default: {}]", key.default)
        };
        let _ = writeln!(
            table,
            "  {}\n      {}: {}{default}",
            key.env, key.about, key.allowed
        );
    }
    table
}
