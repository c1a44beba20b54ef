//! ClickHouse's own Kafka table engine, folding the same log into the same tables. Slow enough to be given a bounded time:
//! its figure is of the rows that arrived in it.

use std::time::{Duration, Instant};

use ess_schema::migrations::Migration;

use crate::error::Result;
use crate::read_model::ReadModel;
use crate::servers::Servers;
use crate::waiting::until;

/// Of the machine's cores, all: what its consumers do not take, its inserts wait for.
const CONSUMERS: u32 = 2;
const BEGINS_WITHIN: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The tables of the engine, beside those of a generation.
const TABLES: Migration = Migration {
    number: 1,
    name: "kafka_engine",
    sql: include_str!("kafka_engine.sql"),
};

/// What it managed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Managed {
    pub(crate) rows: u64,
    pub(crate) took: Duration,
}

/// Attaches the engine to a generation that is there; it begins at once.
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

/// Waits until its consumers have been given partitions.
///
/// # Errors
/// Not in time.
pub(crate) async fn wait_until_assigned(model: &ReadModel) -> Result<()> {
    let sql = format!(
        "SELECT count() FROM system.kafka_consumers WHERE database = '{}' AND notEmpty(assignments.topic)",
        model.generation()
    );
    let what = "the Kafka engine has its partitions";
    until(what, BEGINS_WITHIN, LOOK_EVERY, async || {
        let assigned = model.number(&sql).await?;
        Ok((assigned == u64::from(CONSUMERS)).then_some(()))
    })
    .await
}

/// Lets it work until it has stored `events`, or `most` time is over.
///
/// # Errors
/// A ClickHouse that does not answer.
pub(crate) async fn work(model: &ReadModel, events: u64, most: Duration) -> Result<Managed> {
    let begun = Instant::now();
    let what = "the Kafka engine is looked at";
    until(what, most * 2, LOOK_EVERY, async || {
        let (rows, took) = (model.rows().await?, begun.elapsed());
        Ok((rows >= events || took >= most).then_some(Managed { rows, took }))
    })
    .await
}

/// Ends it.
///
/// # Errors
/// A ClickHouse that does not answer.
pub(crate) async fn detach(model: &ReadModel) -> Result<()> {
    let generation = model.generation();
    for table in ["queue_mv", "queue"] {
        let statement = format!("DROP TABLE {generation}.{table} SYNC");
        model.execute(&statement).await?;
    }
    Ok(())
}
