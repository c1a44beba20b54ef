//! `projector init`: creates missing topics and tables, and verifies existing ones. Idempotent; it must never change or delete
//! anything that exists.

use std::process::ExitCode;

use ess_schema::migrations::Schema;
use ess_service::{
    clickhouse::{ReadModelError, ensure_active},
    kafka::{TopicError, ensure_topics},
    retry::RetryPolicy,
};

use crate::{
    command::{self, print},
    config::Settings,
};

/// Creates the topics and tables; waits up to a minute for servers that are starting. Returns the exit code of the process.
pub fn run(settings: &Settings, schema: Schema) -> ExitCode {
    command::run(&settings.log, "init", init(settings, schema))
}

#[derive(Debug, thiserror::Error)]
enum InitError {
    #[error(transparent)]
    Topics(#[from] TopicError),
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
}

async fn init(settings: &Settings, schema: Schema) -> Result<(), InitError> {
    let (kafka, clickhouse) = (&settings.kafka, &settings.clickhouse);
    RetryPolicy::STARTUP
        .run("creating the topics", || ensure_topics(kafka))
        .await?;
    let generation = RetryPolicy::STARTUP
        .run("creating the tables", || ensure_active(clickhouse, schema))
        .await?;
    print(&format!(
        "log: topic {} with {} partitions, dead letters in {}\n\
         read model: generation {generation} is active, in database {}",
        kafka.topic,
        kafka.partitions,
        kafka.dead_letter_topic,
        clickhouse.generation_database(generation),
    ));
    Ok(())
}
