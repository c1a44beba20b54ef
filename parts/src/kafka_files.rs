//! The broker's files: properties, logging configuration, and the marker of formatted storage.
//! The settings are for a fast start on a small machine, never for production.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A fixed cluster id (base64 UUID, KIP-631) saves starting a JVM to generate one.
pub(crate) const CLUSTER_ID: &str = "RVNTLWxvY2FsLWNsdXN0ZQ";

pub(crate) fn properties(data: &Path) -> PathBuf {
    data.join("server.properties")
}

pub(crate) fn log4j2(data: &Path) -> PathBuf {
    data.join("log4j2.properties")
}

pub(crate) fn formatted(data: &Path) -> PathBuf {
    data.join("FORMATTED")
}

/// Writes both files on every start, so that changes here reach existing data folders.
pub(crate) fn write(data: &Path, port: u16, controller_port: u16) -> Result<()> {
    fs::create_dir_all(data).map_err(Error::io("cannot create", data))?;
    let files = [
        (
            properties(data),
            server_properties(&data.join("segments"), port, controller_port),
        ),
        (log4j2(data), LOG4J2_PROPERTIES.to_owned()),
    ];
    for (path, text) in files {
        fs::write(&path, text).map_err(Error::io("cannot write", &path))?;
    }
    Ok(())
}

fn server_properties(segments: &Path, port: u16, controller_port: u16) -> String {
    format!(
        "\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller_port}
log.dirs={segments}
# Topics are created by the projector's init step, with a checked configuration.
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
# Do not wait for further consumers before the first rebalance.
group.initial.rebalance.delay.ms=0
# The maximum batch that a producer of ESS can be configured to send.
message.max.bytes=2097152
log.retention.ms=-1
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
",
        segments = segments.display()
    )
}

const LOG4J2_PROPERTIES: &str = "\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %-5p %c{1} %m%n
rootLogger.level=info
rootLogger.appenderRef.console.ref=console
# Otherwise each setting and partition state is logged.
logger.config.name=org.apache.kafka.common.config.AbstractConfig
logger.config.level=warn
logger.state.name=state.change.logger
logger.state.level=warn
";
