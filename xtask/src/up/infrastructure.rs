//! Kafka and ClickHouse of the system: fetched and started, unless the environment names others.

use std::time::Duration;

use ess_parts::progress::note;
use ess_parts::{
    ClickHouse, ClickHouseConfig, Downloads, Kafka, KafkaConfig, Lifetime, Parts, Process,
};

use crate::error::Result;
use crate::run_dir::RunDir;
use crate::system::{Addresses, CLICKHOUSE, ClickHouseAddress, KAFKA, KafkaAddress};

/// On a busy machine with a cold disk, a JVM starts slowly.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// Fetches the parts, unless both servers run elsewhere.
pub(super) fn fetch(addresses: &Addresses) -> Result<Option<Parts>> {
    match (&addresses.kafka, &addresses.clickhouse) {
        (KafkaAddress::Given { .. }, ClickHouseAddress::Given { .. }) => Ok(None),
        _ => Ok(Some(Downloads::default().fetch()?)),
    }
}

/// Starts the servers that do not run yet.
pub(super) fn start(run_dir: &RunDir, addresses: &Addresses, parts: Option<&Parts>) -> Result<()> {
    let lifetime = |name| Lifetime::Detached {
        pid_file: run_dir.pid_file(name),
    };
    match (&addresses.kafka, parts) {
        (
            KafkaAddress::Own {
                port,
                controller_port,
            },
            Some(parts),
        ) => start_one(run_dir, KAFKA, || {
            let config = KafkaConfig {
                port: Some(*port),
                controller_port: Some(*controller_port),
                data: run_dir.data(KAFKA),
                log: run_dir.log(KAFKA),
                lifetime: lifetime(KAFKA),
                ready_within: READY_WITHIN,
            };
            Ok(Kafka::start(parts, config)?.bootstrap())
        })?,
        _ => note(&format!("kafka: runs elsewhere, {}", addresses.brokers())),
    }
    match (&addresses.clickhouse, parts) {
        (
            ClickHouseAddress::Own {
                http_port,
                tcp_port,
            },
            Some(parts),
        ) => start_one(run_dir, CLICKHOUSE, || {
            let config = ClickHouseConfig {
                http_port: Some(*http_port),
                tcp_port: Some(*tcp_port),
                data: run_dir.data(CLICKHOUSE),
                log: run_dir.log(CLICKHOUSE),
                lifetime: lifetime(CLICKHOUSE),
                ready_within: READY_WITHIN,
                query_log: false,
            };
            Ok(ClickHouse::start(parts, config)?.http_url())
        })?,
        _ => note(&format!(
            "clickhouse: runs elsewhere, {}",
            addresses.clickhouse_url()
        )),
    }
    Ok(())
}

fn start_one(run_dir: &RunDir, name: &str, start: impl FnOnce() -> Result<String>) -> Result<()> {
    if let Some(pid) = run_dir.process(name).as_ref().map(Process::pid) {
        note(&format!("{name}: already runs (pid {pid})"));
        return Ok(());
    }
    let address = start()?;
    note(&format!("{name}: ready at {address}"));
    Ok(())
}
