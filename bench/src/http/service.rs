//! The HTTP services under load as processes: binaries of ESS beside this one, and yardsticks.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ess_load::http::{HttpClient, HttpRequest};
use ess_parts::{Launch, Lifetime, Process, ports, tail};
use tokio::task::block_in_place;

use crate::error::{Error, Result};
use crate::http::client::{Target, send};
use crate::projector::binary;
use crate::waiting::until;

const START_TIMEOUT: Duration = Duration::from_mins(1);
const STOP_TIMEOUT: Duration = Duration::from_secs(40);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The cache configuration of a query-api.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cache {
    /// The defaults.
    Default,
    /// No cache: every request queries the read model.
    Off,
}

/// A running service.
pub(crate) struct Service {
    process: Process,
    log: PathBuf,
    pub(crate) target: Target,
}

impl Service {
    /// Starts a query-api on the databases of `name`.
    ///
    /// # Errors
    /// It does not become ready in time.
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

    /// Starts a command-api with this environment and default settings.
    ///
    /// # Errors
    /// It does not become ready in time.
    pub(crate) async fn command_api(
        environment: &HashMap<String, String>,
        logs: &Path,
    ) -> Result<Self> {
        let address = address()?;
        let mut command = Command::new(binary("command-api")?);
        command.envs(environment).env("COMMAND_API_ADDR", &address);
        Self::start("command-api", command, address, logs, "/health/ready").await
    }

    /// Starts a server that parses events like the command-api and discards them.
    ///
    /// # Errors
    /// It does not answer in time.
    pub(crate) async fn parse(logs: &Path) -> Result<Self> {
        let address = address()?;
        let mut command = Command::new(env::current_exe()?);
        command.args(["parse", "--address", &address]);
        Self::start("parse", command, address, logs, "/ready").await
    }

    /// Starts a no-op server whose responses have `bytes` bytes.
    ///
    /// # Errors
    /// It does not answer in time.
    pub(crate) async fn noop(bytes: usize, logs: &Path) -> Result<Self> {
        let address = address()?;
        let mut command = Command::new(env::current_exe()?);
        command.args(["noop", "--address", &address, "--bytes", &bytes.to_string()]);
        Self::start("noop", command, address, logs, "/stats/playback/any").await
    }

    /// Starts a process, and waits until it answers `ready`.
    ///
    /// # Errors
    /// It ends, or does not answer in time.
    pub(crate) async fn start(
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
        let client = HttpClient::new(&service.target.url);
        let what = format!("{name} is ready");
        until(&what, START_TIMEOUT, POLL_INTERVAL, async || {
            service.require_alive(name)?;
            Ok(send(&client, &HttpRequest::get(ready))
                .await
                .ok()
                .map(|_| ()))
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

    /// Stops it.
    ///
    /// # Errors
    /// A process that cannot be stopped.
    pub(crate) fn stop(mut self) -> Result<()> {
        block_in_place(|| self.process.stop(STOP_TIMEOUT))?;
        Ok(())
    }
}

/// A free address for a service.
///
/// # Errors
/// No free port.
pub(crate) fn address() -> Result<String> {
    Ok(format!("127.0.0.1:{}", ports::free_port()?))
}
