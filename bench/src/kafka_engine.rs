//! ClickHouse's own Kafka table engine, consuming the same topic into the same tables. It has a time limit; its figure counts the rows
//! that it stored in that time.

use std::time::{Duration, Instant};

use ess_schema::migrations::Migration;

use crate::error::Result;
use crate::read_model::ReadModel;
use crate::servers::Servers;
use crate::waiting::until;

/// One consumer for each core.
const CONSUMERS: u32 = 2;
const ASSIGN_TIMEOUT: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The tables of the engine in addition to those of a generation.
const TABLES: Migration = Migration {
    number: 1,
    name: "kafka_engine",
    sql: include_str!("kafka_engine.sql"),
};

/// The result of the engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Managed {
    pub(crate) rows: u64,
    pub(crate) took: Duration,
}

/// Attaches the engine to an existing generation and starts it.
///
/// # Errors
/// A statement that ClickHouse refuses.
pub(crate) async fn attach(model: &ReadModel, servers: &Servers, topic: &str) -> Result<()> {
    let generation = model.generation();
    for statement in TABLES.statements(&generation) {
        let statement = statement
            .replace("{brokers}", &servers.brokers)
            .replace("{topic}", topic)
            .replace("{group}", &generation)
            .replace("{consumers}", &CONSUMERS.to_string());
        model.execute(&statement).await?;
    }
    Ok(())
}

/// Waits until partitions are assigned to its consumers.
///
/// # Errors
/// A timeout.
pub(crate) async fn wait_until_assigned(model: &ReadModel) -> Result<()> {
    let sql = format!(
        "SELECT count() FROM system.kafka_consumers WHERE database = '{}' AND notEmpty(assignments.topic)",
        model.generation()
    );
    let what = "partitions are assigned to the Kafka engine";
    until(what, ASSIGN_TIMEOUT, POLL_INTERVAL, async || {
        let assigned = model.number(&sql).await?;
        Ok((assigned == u64::from(CONSUMERS)).then_some(()))
    })
    .await
}

/// Waits until it has stored `events`, at most for `timeout`.
///
/// # Errors
/// ClickHouse does not answer.
pub(crate) async fn work(model: &ReadModel, events: u64, timeout: Duration) -> Result<Managed> {
    let begun = Instant::now();
    let what = "the rows of the Kafka engine are counted";
    until(what, timeout * 2, POLL_INTERVAL, async || {
        let (rows, took) = (model.rows().await?, begun.elapsed());
        Ok((rows >= events || took >= timeout).then_some(Managed { rows, took }))
    })
    .await
}

/// Stops the engine.
///
/// # Errors
/// ClickHouse does not answer.
pub(crate) async fn detach(model: &ReadModel) -> Result<()> {
    let generation = model.generation();
    for table in ["queue_mv", "queue"] {
        let statement = format!("DROP TABLE {generation}.{table} SYNC");
        model.execute(&statement).await?;
    }
    Ok(())
}
