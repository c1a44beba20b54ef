//! A real ClickHouse server: HTTP and native protocol on the loopback interface, storage in a folder of its own. It has
//! no Keeper and no interserver port: Replicated tables cannot run here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::fetch::Parts;
use crate::ports;
use crate::process::{Launch, Lifetime, Process, Stopped};
use crate::supervisor::{CLICKHOUSE_HOST, binary};

/// The library ends at once; data are safe either way.
const STOP_WITHIN: Duration = Duration::from_secs(10);
const PING_WITHIN: Duration = Duration::from_secs(2);

/// Opens the ports, then sleeps for ever: the library serves as long as this query runs.
const SERVE: &str = "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; \
    SELECT sleepEachRow(1) FROM system.numbers FORMAT Null \
    SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 100000000, max_execution_time = 0";

/// The server's configuration for `system.query_log`, which it does not have by itself.
const QUERY_LOG: &str = "<clickhouse><query_log><database>system</database><table>query_log</table></query_log></clickhouse>";

/// Where and how a server runs.
#[derive(Clone, Debug)]
pub struct ClickHouseConfig {
    /// HTTP port; a free one when `None`.
    pub http_port: Option<u16>,
    /// Port of the native protocol; a free one when `None`.
    pub tcp_port: Option<u16>,
    /// Folder of its data; kept between runs.
    pub data: PathBuf,
    /// File that takes its output.
    pub log: PathBuf,
    /// How long it may live.
    pub lifetime: Lifetime,
    /// How long a start may take.
    pub ready_within: Duration,
    /// Whether it keeps `system.query_log`: what was asked, for those who count queries.
    pub query_log: bool,
}

impl ClickHouseConfig {
    /// Free ports, everything in `folder`, and no longer alive than the caller: what a test wants.
    pub fn attached(folder: &Path) -> Self {
        Self {
            http_port: None,
            tcp_port: None,
            data: folder.join("clickhouse"),
            log: folder.join("clickhouse.log"),
            lifetime: Lifetime::Attached,
            ready_within: Duration::from_mins(1),
            query_log: false,
        }
    }

    /// The same with `system.query_log`, which costs each query a little.
    #[must_use]
    pub fn with_query_log(self) -> Self {
        Self {
            query_log: true,
            ..self
        }
    }
}

/// A server that was started, and can be stopped, killed and started again on the same ports and data.
#[derive(Debug)]
pub struct ClickHouse {
    parts: Parts,
    config: ClickHouseConfig,
    http_port: u16,
    tcp_port: u16,
    process: Process,
}

impl ClickHouse {
    /// Starts a server and waits until it answers `GET /ping`.
    ///
    /// # Errors
    /// A taken port, an early end, or no answer in time.
    pub fn start(parts: &Parts, config: ClickHouseConfig) -> Result<Self> {
        let http_port = config.http_port.map_or_else(ports::free_port, Ok)?;
        let tcp_port = config.tcp_port.map_or_else(ports::free_port, Ok)?;
        let process = launch(parts, &config, http_port, tcp_port)?;
        Ok(Self {
            parts: parts.clone(),
            config,
            http_port,
            tcp_port,
            process,
        })
    }

    /// Base URL of the HTTP interface.
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http_port)
    }

    /// Port of the native protocol.
    pub fn tcp_port(&self) -> u16 {
        self.tcp_port
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Stops it (SIGTERM), or kills it after 10 s.
    ///
    /// # Errors
    /// [`crate::Error::Unkillable`].
    pub fn stop(&mut self) -> Result<Stopped> {
        self.process.stop(STOP_WITHIN)
    }

    /// Kills it as a crash would (SIGKILL).
    ///
    /// # Errors
    /// [`crate::Error::Unkillable`].
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Stops it if it runs, and starts it on the same ports and data; returns once it answers.
    ///
    /// # Errors
    /// As [`ClickHouse::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.process = launch(&self.parts, &self.config, self.http_port, self.tcp_port)?;
        Ok(())
    }

    /// Whether a server answers under this base URL.
    pub fn answers(http_url: &str) -> bool {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PING_WITHIN))
            .build()
            .into();
        let answer = agent
            .get(format!("{}/ping", http_url.trim_end_matches('/')))
            .call();
        answer
            .ok()
            .and_then(|mut ok| ok.body_mut().read_to_string().ok())
            .is_some_and(|body| body.trim() == "Ok.")
    }
}

fn launch(
    parts: &Parts,
    config: &ClickHouseConfig,
    http_port: u16,
    tcp_port: u16,
) -> Result<Process> {
    ports::require_free(http_port)?;
    ports::require_free(tcp_port)?;
    let mut command = Command::new(binary(CLICKHOUSE_HOST)?);
    command
        .arg(&parts.libchdb)
        .arg("--path")
        .arg(&config.data)
        .args([
            "--http_port",
            &http_port.to_string(),
            "--tcp_port",
            &tcp_port.to_string(),
        ])
        .args(["--listen_host", "127.0.0.1", "--query", SERVE]);
    if config.query_log {
        let file = config.data.with_extension("xml");
        fs::write(&file, QUERY_LOG).map_err(Error::io("cannot write", &file))?;
        command.arg("--config-file").arg(file);
    }
    let launch = Launch {
        name: "ClickHouse",
        command,
        log: &config.log,
        lifetime: &config.lifetime,
    };
    let mut process = launch.spawn()?;
    let url = format!("http://127.0.0.1:{http_port}");
    process.wait_until_ready("ClickHouse", &config.log, config.ready_within, || {
        ClickHouse::answers(&url)
    })?;
    Ok(process)
}
