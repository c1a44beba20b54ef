//! The real projector as a process: the binary beside this one, with default settings except the names of topic, group and
//! databases. Never reused for another run.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ess_parts::{Launch, Lifetime, Process, Stopped, ports, tail};
use tokio::task::block_in_place;

use crate::error::{Error, Result};
use crate::metrics;
use crate::waiting::until;

const START_TIMEOUT: Duration = Duration::from_mins(1);
const STOP_TIMEOUT: Duration = Duration::from_secs(40);
/// The precision of the start of the clock.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

const CONSUMED: &str = "messaging_client_consumed_messages_total";
const INSERTS: &str = "ess_projector_insert_duration_seconds_count";
const DEAD_LETTERS: &str = "ess_projector_dead_letters_total";

/// A running projector.
pub(crate) struct Projector {
    process: Process,
    log: PathBuf,
    metrics_url: String,
    http: reqwest::Client,
}

/// Counters of the projector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) inserts: u64,
    pub(crate) dead_letters: u64,
}

impl Projector {
    /// Starts it, with a log file in `logs`.
    ///
    /// # Errors
    /// A binary that is not built.
    pub(crate) fn start(environment: &HashMap<String, String>, logs: &Path) -> Result<Self> {
        let address = format!("127.0.0.1:{}", ports::free_port()?);
        let mut command = Command::new(binary("projector")?);
        command.envs(environment).env("PROJECTOR_ADDR", &address);
        let log = logs.join("projector.log");
        let launch = Launch {
            name: "projector",
            command,
            log: &log,
            lifetime: &Lifetime::Attached,
        };
        Ok(Self {
            process: launch.spawn()?,
            log,
            metrics_url: format!("http://{address}/metrics"),
            http: reqwest::Client::new(),
        })
    }

    /// The process id.
    pub(crate) fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Waits until it consumes records: it has started, created its tables and joined its group.
    ///
    /// # Errors
    /// It has ended, or consumes nothing in time.
    pub(crate) async fn wait_until_it_consumes(&self) -> Result<()> {
        let what = "the projector consumes records";
        until(what, START_TIMEOUT, POLL_INTERVAL, async || {
            self.require_alive()?;
            // It does not listen immediately after its start.
            let Ok(text) = self.metrics().await else {
                return Ok(None);
            };
            Ok((metrics::sum(&text, CONSUMED) > 0).then_some(()))
        })
        .await
    }

    /// # Errors
    /// It has ended; the message includes the last lines of its log.
    pub(crate) fn require_alive(&self) -> Result<()> {
        if self.process.is_alive() {
            return Ok(());
        }
        let tail = tail(&self.log);
        Err(Error::message(format!("the projector has ended\n{tail}")))
    }

    /// Its current counters.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) async fn counted(&self) -> Result<Counted> {
        let text = self.metrics().await?;
        Ok(Counted {
            inserts: metrics::sum(&text, INSERTS),
            dead_letters: metrics::sum(&text, DEAD_LETTERS),
        })
    }

    async fn metrics(&self) -> Result<String> {
        Ok(self
            .http
            .get(&self.metrics_url)
            .send()
            .await?
            .text()
            .await?)
    }

    /// Stops it with SIGTERM.
    ///
    /// # Errors
    /// It had to be killed.
    pub(crate) fn stop(mut self) -> Result<()> {
        match block_in_place(|| self.process.stop(STOP_TIMEOUT))? {
            Stopped::Gracefully => Ok(()),
            Stopped::Killed => Err(Error::message(format!(
                "the projector had to be killed after {} s\n{}",
                STOP_TIMEOUT.as_secs(),
                tail(&self.log)
            ))),
        }
    }
}

/// The binary of this name beside this one.
///
/// # Errors
/// It is not built.
pub(crate) fn binary(name: &str) -> Result<PathBuf> {
    let path = env::current_exe()?.with_file_name(name);
    if path.is_file() {
        return Ok(path);
    }
    let path = path.display();
    Err(Error::message(format!(
        "{path} is not built; `cargo xtask bench` builds it"
    )))
}
