//! A real ClickHouse server with HTTP and native protocol on the loopback interface and storage in its own folder.
//! It has neither ClickHouse Keeper nor an interserver port, so it never runs Replicated tables.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::fetch::Parts;
use crate::ports;
use crate::process::{Launch, Lifetime, Process, Stopped};
use crate::supervisor::{CLICKHOUSE_HOST, binary};

/// Deadline of a stop. Data is safe if the server is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Opens the ports, then sleeps: the library serves as long as this query runs.
const SERVE: &str = "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; \
    SELECT sleepEachRow(1) FROM system.numbers FORMAT Null \
    SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 100000000, max_execution_time = 0";

/// The configuration of `system.query_log`, which is off by default in the library.
const QUERY_LOG: &str = "<clickhouse><query_log><database>system</database><table>query_log</table></query_log></clickhouse>";

/// The configuration of a server.
#[derive(Clone, Debug)]
pub struct ClickHouseConfig {
    /// HTTP port; by default a free one.
    pub http_port: Option<u16>,
    /// Port of the native protocol; by default a free one.
    pub tcp_port: Option<u16>,
    /// The data folder. It survives restarts.
    pub data: PathBuf,
    /// The log file.
    pub log: PathBuf,
    /// The lifetime of the process.
    pub lifetime: Lifetime,
    /// Deadline of a start.
    pub ready_within: Duration,
    /// Whether to write `system.query_log`.
    pub query_log: bool,
}

impl ClickHouseConfig {
    /// For tests: free ports, all files in `folder`, ends with the caller.
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

    /// Turns on `system.query_log`, at a small cost for each query.
    #[must_use]
    pub fn with_query_log(self) -> Self {
        Self {
            query_log: true,
            ..self
        }
    }
}

/// A ClickHouse server. It can be stopped, killed and restarted on the same ports and data.
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
    /// A port in use, an early exit, or no answer before the deadline.
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

    /// The process id.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Stops the server (SIGTERM), and kills it after 10 s.
    ///
    /// # Errors
    /// [`crate::Error::Unkillable`].
    pub fn stop(&mut self) -> Result<Stopped> {
        self.process.stop(STOP_TIMEOUT)
    }

    /// Kills the server (SIGKILL), like a crash.
    ///
    /// # Errors
    /// [`crate::Error::Unkillable`].
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Restarts the server on the same ports and data, and waits until it answers.
    ///
    /// # Errors
    /// As [`ClickHouse::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.process = launch(&self.parts, &self.config, self.http_port, self.tcp_port)?;
        Ok(())
    }

    /// Whether a server answers at this base URL.
    pub fn answers(http_url: &str) -> bool {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PING_TIMEOUT))
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
