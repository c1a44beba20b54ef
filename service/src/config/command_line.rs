//! The command line that all services share: `--config`, `--check-config`, and a `--help` that lists every key.
//! It prints and returns an exit code; only `main` exits the process.

use std::{env, fmt::Write as _, io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory, Parser};

use super::{ConfigSection, Settings, Source};

/// `EX_USAGE` of sysexits.h: the command line or the configuration is invalid; a restart does not help.
const EX_USAGE: u8 = 64;

/// The options about configuration; a service flattens them into its command line.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    /// TOML file with the keys below in lower case; environment variables take precedence.
    #[arg(long, value_name = "FILE", env = "ESS_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// Validate the configuration, print the effective values without secrets, and exit.
    #[arg(long, global = true)]
    pub check_config: bool,
    /// Print the declarations of all keys as JSON and exit: the source of docs/CONFIGURATION.md.
    #[arg(long, global = true, hide = true)]
    pub config_keys: bool,
}

impl ConfigArgs {
    /// Reads the configuration.
    ///
    /// # Errors
    /// The exit code: 64 after printing a configuration error, 0 after `--check-config` or `--config-keys`.
    pub fn load<S: Settings>(&self) -> Result<S, ExitCode> {
        if self.config_keys {
            let _ = writeln!(std::io::stdout(), "{}", declarations::<S>());
            return Err(ExitCode::SUCCESS);
        }
        // `vars()` panics on variables that are not Unicode; none of the keys is such.
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
struct OptionsOnly {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Parses the command line of a service without subcommands and reads its configuration.
///
/// # Errors
/// The exit code, after printing.
pub fn load<S: Settings>() -> Result<S, ExitCode> {
    parse_arguments::<OptionsOnly, S>()?.config.load()
}

/// Parses the command line `A` of a service; its help shows the name and the keys of `S`.
///
/// # Errors
/// The exit code, after printing the help, the version or an error.
pub fn parse_arguments<A: Parser, S: Settings>() -> Result<A, ExitCode> {
    let command = <A as CommandFactory>::command()
        .name(S::SERVICE)
        .version(env!("CARGO_PKG_VERSION"))
        .about(S::ABOUT);
    let parsed = command
        .after_help(key_table(S::SECTIONS))
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

fn key_table(sections: &[ConfigSection]) -> String {
    let mut table =
        String::from("Configuration (environment variables; in the TOML file in lower case):\n");
    for ConfigSection { title, keys } in sections {
        let _ = writeln!(table, "\n  {title}");
        for key in *keys {
            let default = match key.default {
                "" => String::new(),
                default => format!(" [default: {default}]"),
            };
            let (name, about, allowed) = (key.env, key.about, key.allowed);
            let _ = writeln!(table, "    {name}\n        {about}");
            let _ = writeln!(table, "        Allowed: {allowed}{default}");
        }
    }
    table
}

/// The declarations of a service's keys as JSON: `{"service", "about", "sections": [{"title", "keys": [{"key", "default",
/// "allowed", "about", "secret"}]}]}`.
fn declarations<S: Settings>() -> serde_json::Value {
    serde_json::json!({"service": S::SERVICE, "about": S::ABOUT, "sections": S::SECTIONS})
}

#[cfg(test)]
mod tests {
    use super::{super::tests::Everything, *};

    #[test]
    fn the_declarations_of_keys_are_json() {
        let declared = declarations::<Everything>();
        assert_eq!(declared["service"], "everything");
        let kafka = &declared["sections"][0];
        assert_eq!(kafka["title"], "Kafka");
        let partitions = serde_json::json!({
            "key": "KAFKA_PARTITIONS", "default": "12", "allowed": "1 to 10000", "secret": false,
            "about": "partitions of KAFKA_TOPIC; must match a topic that exists",
        });
        assert_eq!(kafka["keys"][3], partitions);
    }
}
