//! A real Kafka broker: one KRaft node that is broker and controller at once, for development and tests. Never a
//! cluster, never reachable from another machine.

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

/// A clean shutdown of one node with some dozen partitions takes 1–2 s.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// Where and how a broker runs.
#[derive(Clone, Debug)]
pub struct KafkaConfig {
    /// Client port; a free one when `None`.
    pub port: Option<u16>,
    /// Port of the controller; a free one when `None`.
    pub controller_port: Option<u16>,
    /// Folder of its configuration and log segments; kept between runs.
    pub data: PathBuf,
    /// File that takes its output.
    pub log: PathBuf,
    /// How long it may live.
    pub lifetime: Lifetime,
    /// How long a start may take.
    pub ready_within: Duration,
}

impl KafkaConfig {
    /// Free ports, everything in `folder`, and no longer alive than the caller: what a test wants.
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

/// A broker that was started, and can be stopped, killed and started again on the same ports and data.
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
    /// A taken port, a failed format, an early end, or no answer in time.
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

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Stops it cleanly (SIGTERM), or kills it after 20 s.
    ///
    /// # Errors
    /// [`Error::Unkillable`].
    pub fn stop(&mut self) -> Result<Stopped> {
        self.process.stop(STOP_WITHIN)
    }

    /// Kills it as a crash would (SIGKILL).
    ///
    /// # Errors
    /// [`Error::Unkillable`].
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Stops it if it runs, and starts it on the same ports and data; returns once it answers.
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

/// Formats the log folder once; a format that was cut short is repeated.
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
