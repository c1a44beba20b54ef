//! A real Kafka broker for development and tests: one KRaft node that is broker and controller.
//! Never a cluster, never reachable from another machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::fetch::Parts;
use crate::kafka_probe;
use crate::ports;
use crate::process::{Launch, Lifetime, Process, Stopped};
use crate::{child, kafka_files};

/// Deadline of a stop. A clean shutdown with some dozen partitions takes 1–2 s.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// The configuration of a broker.
#[derive(Clone, Debug)]
pub struct KafkaConfig {
    /// Client port; by default a free one.
    pub port: Option<u16>,
    /// Port of the controller; by default a free one.
    pub controller_port: Option<u16>,
    /// The folder of configuration and log segments. It survives restarts.
    pub data: PathBuf,
    /// The log file.
    pub log: PathBuf,
    /// The lifetime of the process.
    pub lifetime: Lifetime,
    /// Deadline of a start.
    pub ready_within: Duration,
}

impl KafkaConfig {
    /// For tests: free ports, all files in `folder`, ends with the caller.
    pub fn attached(folder: &Path) -> Self {
        Self {
            port: None,
            controller_port: None,
            data: folder.join("kafka"),
            log: folder.join("kafka.log"),
            lifetime: Lifetime::Attached,
            ready_within: Duration::from_mins(1),
        }
    }
}

/// A Kafka broker. It can be stopped, killed and restarted on the same ports and data.
#[derive(Debug)]
pub struct Kafka {
    parts: Parts,
    config: KafkaConfig,
    port: u16,
    process: Process,
}

impl Kafka {
    /// Starts a broker and waits until it answers a metadata request.
    ///
    /// # Errors
    /// A port in use, a failed format, an early exit, or no answer before the deadline.
    pub fn start(parts: &Parts, mut config: KafkaConfig) -> Result<Self> {
        let port = config.port.map_or_else(ports::free_port, Ok)?;
        let controller_port = config.controller_port.map_or_else(ports::free_port, Ok)?;
        (config.port, config.controller_port) = (Some(port), Some(controller_port));
        kafka_files::write(&config.data, port, controller_port)?;
        format(parts, &config.data)?;
        let process = launch(parts, &config, port, controller_port)?;
        Ok(Self {
            parts: parts.clone(),
            config,
            port,
            process,
        })
    }

    /// `host:port` for clients.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The process id.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Stops the broker (SIGTERM), and kills it after 20 s.
    ///
    /// # Errors
    /// [`Error::Unkillable`].
    pub fn stop(&mut self) -> Result<Stopped> {
        self.process.stop(STOP_TIMEOUT)
    }

    /// Kills the broker (SIGKILL), like a crash.
    ///
    /// # Errors
    /// [`Error::Unkillable`].
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Restarts the broker on the same ports and data, and waits until it answers.
    ///
    /// # Errors
    /// As [`Kafka::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        let controller_port = self.config.controller_port.unwrap_or_default();
        self.process = launch(&self.parts, &self.config, self.port, controller_port)?;
        Ok(())
    }

    /// Whether a broker on this port of 127.0.0.1 answers.
    pub fn answers(port: u16) -> bool {
        kafka_probe::answers(port)
    }
}

fn launch(parts: &Parts, config: &KafkaConfig, port: u16, controller_port: u16) -> Result<Process> {
    ports::require_free(port)?;
    ports::require_free(controller_port)?;
    let mut command = java(parts);
    command
        .args([
            "-Xms128m",
            "-Xmx512m",
            "-XX:+UseG1GC",
            "-Djava.awt.headless=true",
        ])
        .arg(format!(
            "-Dlog4j2.configurationFile={}",
            kafka_files::log4j2(&config.data).display()
        ))
        .arg("kafka.Kafka")
        .arg(kafka_files::properties(&config.data));
    let launch = Launch {
        name: "Kafka",
        command,
        log: &config.log,
        lifetime: &config.lifetime,
    };
    let mut process = launch.spawn()?;
    process.wait_until_ready("Kafka", &config.log, config.ready_within, || {
        kafka_probe::answers(port)
    })?;
    Ok(process)
}

/// Formats the log folder once. Repeats an interrupted format.
fn format(parts: &Parts, data: &Path) -> Result<()> {
    if kafka_files::formatted(data).is_file() {
        return Ok(());
    }
    let mut command = java(parts);
    command
        .args([
            "-XX:TieredStopAtLevel=1",
            "kafka.tools.StorageTool",
            "format",
            "--ignore-formatted",
        ])
        .args(["--cluster-id", kafka_files::CLUSTER_ID, "--config"])
        .arg(kafka_files::properties(data));
    child::run("formatting Kafka's storage", &mut command, |_| ())?;
    let marker = kafka_files::formatted(data);
    fs::write(&marker, "").map_err(Error::io("cannot write", &marker))
}

fn java(parts: &Parts) -> Command {
    let mut java = Command::new("java");
    java.arg("-cp").arg(parts.kafka_jars.join("*"));
    java
}
