//! `projector init`: creates the topics and tables that are missing, and verifies those that are there. Idempotent; it
//! never changes or deletes what exists.

use std::{error::Error, io::Write as _, process::ExitCode};

use ess_schema::migrations::Schema;
use ess_service::{
    clickhouse::ensure_active, kafka::ensure_topics, retry::RetryPolicy, telemetry::start_logging,
};
use tokio::runtime::Runtime;

use crate::config::Settings;

/// Prepares log and read model, waiting a minute for servers that are starting; returns what to exit with.
pub fn run(settings: &Settings, schema: Schema) -> ExitCode {
    match prepare(settings, schema) {
        Ok(told) => {
            let _ = write!(std::io::stdout(), "{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!("init failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn prepare(settings: &Settings, schema: Schema) -> Result<String, Box<dyn Error>> {
    start_logging(&settings.log)?;
    let (kafka, clickhouse) = (&settings.kafka, &settings.clickhouse);
    Runtime::new()?.block_on(async {
        RetryPolicy::STARTUP
            .run("preparing the log", || ensure_topics(kafka))
            .await?;
        let generation = RetryPolicy::STARTUP
            .run("preparing the read model", || {
                ensure_active(clickhouse, schema)
            })
            .await?;
        Ok(format!(
            "log: topic {} with {} partitions, dead letters in {}\n\
             read model: generation {generation} is active, in database {}\n",
            kafka.topic,
            kafka.partitions,
            kafka.dead_letter_topic,
            clickhouse.generation_database(generation),
        ))
    })
}
