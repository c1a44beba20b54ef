//! The HTTP services under measurement as processes: the binaries beside this one, and what stands beside them as a yardstick.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ess_parts::{Launch, Lifetime, Process, ports, tail};
use tokio::task::block_in_place;

use crate::error::{Error, Result};
use crate::http::client::{Ask, Connection, Target};
use crate::projector::binary;
use crate::waiting::until;

const STARTS_WITHIN: Duration = Duration::from_mins(1);
const ENDS_WITHIN: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How a query-api remembers its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cache {
    /// As it does by default.
    Default,
    /// Not at all: every request is a question to the read model.
    Off,
}

/// A running service.
pub(crate) struct Service {
    process: Process,
    log: PathBuf,
    pub(crate) target: Target,
}

impl Service {
    /// A query-api that answers from the databases of `name`, and is ready.
    ///
    /// # Errors
    /// It does not become ready.
    pub(crate) async fn query_api(
        clickhouse_url: &str,
        name: &str,
        cache: Cache,
        logs: &Path,
    ) -> Result<Self> {
        let mut command = Command::new(binary("query-api")?);
        command
            .env("CLICKHOUSE_URL", clickhouse_url)
            .env("CLICKHOUSE_DATABASE", name);
        if cache == Cache::Off {
            command
                .env("CACHE_OPEN_TTL_MS", "0")
                .env("CACHE_SETTLED_TTL_MS", "0");
        }
        let address = address()?;
        command.env("QUERY_API_ADDR", &address);
        Self::start("query-api", command, address, logs, "/health/ready").await
    }

    /// A command-api that appends to the log of these settings, all others at their defaults, and is ready.
    ///
    /// # Errors
    /// It does not become ready.
    pub(crate) async fn command_api(
        environment: &HashMap<String, String>,
        logs: &Path,
    ) -> Result<Self> {
        let address = address()?;
        let mut command = Command::new(binary("command-api")?);
        command.envs(environment).env("COMMAND_API_ADDR", &address);
        Self::start("command-api", command, address, logs, "/health/ready").await
    }

    /// A server that parses facts as the command-api does, and forgets them.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) async fn parse(logs: &Path) -> Result<Self> {
        let address = address()?;
        let mut command = Command::new(env::current_exe()?);
        command.args(["parse", "--address", &address]);
        Self::start("parse", command, address, logs, "/ready").await
    }

    /// A no-op that answers so many bytes.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) async fn noop(bytes: usize, logs: &Path) -> Result<Self> {
        let address = address()?;
        let mut command = Command::new(env::current_exe()?);
        command.args(["noop", "--address", &address, "--bytes", &bytes.to_string()]);
        Self::start("noop", command, address, logs, "/stats/playback/any").await
    }

    async fn start(
        name: &str,
        command: Command,
        address: String,
        logs: &Path,
        ready: &str,
    ) -> Result<Self> {
        let log = logs.join(format!("{name}-{}.log", address.replace(':', "-")));
        let launch = Launch {
            name,
            command,
            log: &log,
            lifetime: &Lifetime::Attached,
        };
        let process = launch.spawn()?;
        let target = Target {
            url: format!("http://{address}"),
            pid: process.pid(),
        };
        let service = Self {
            process,
            log,
            target,
        };
        let what = format!("{name} is ready");
        until(&what, STARTS_WITHIN, LOOK_EVERY, async || {
            service.require_alive(name)?;
            let asked = Connection::to(&service.target.url)
                .send(&Ask::get(ready))
                .await;
            Ok(asked.ok().map(|_| ()))
        })
        .await?;
        Ok(service)
    }

    fn require_alive(&self, name: &str) -> Result<()> {
        if self.process.is_alive() {
            return Ok(());
        }
        let tail = tail(&self.log);
        Err(Error::message(format!("{name} has ended\n{tail}")))
    }

    /// Ends it.
    ///
    /// # Errors
    /// One that cannot be ended.
    pub(crate) fn stop(mut self) -> Result<()> {
        block_in_place(|| self.process.stop(ENDS_WITHIN))?;
        Ok(())
    }
}

fn address() -> Result<String> {
    Ok(format!("127.0.0.1:{}", ports::free_port()?))
}
