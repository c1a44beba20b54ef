//! Whether the log can be appended to: asked of the broker now and then, and told as the readiness of this process
//! (invariant I11). At the end it flushes what answered requests have left behind.

use std::{sync::Arc, time::Duration};

use ess_service::health::Check;
use rdkafka::{error::KafkaError, metadata::Metadata, producer::Producer};
use tokio::{
    task::{JoinError, spawn_blocking},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::KafkaProducer;

/// How often the broker is asked.
const EVERY: Duration = Duration::from_secs(2);
/// How long it may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// A check unrepeated for this long says that this task itself is stuck.
pub(crate) const SILENT_FOR: Duration = Duration::from_secs(15);

/// Why the log cannot be kept up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    /// librdkafka gave up for good: only a new process can append again.
    #[error("the producer has failed for good: {0}")]
    Fatal(String),
    /// Records were left when the time to flush them was over.
    #[error("{left} records were not flushed: {error}")]
    Unflushed {
        /// How many.
        left: i32,
        /// librdkafka's reason.
        error: KafkaError,
    },
    /// A defect.
    #[error("a task of the producer panicked: {0}")]
    Panicked(#[from] JoinError),
}

/// Tells `check` how the log is doing until no request is `served` any more, then flushes for at most `flush_within`.
///
/// # Errors
/// [`ConnectionError`].
pub(crate) async fn keep(
    log: Arc<KafkaProducer>,
    check: Check,
    served: CancellationToken,
    flush_within: Duration,
) -> Result<(), ConnectionError> {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = served.cancelled() => return flush(log, flush_within).await,
            _ = ticks.tick() => {}
        }
        let asked = Arc::clone(&log);
        match spawn_blocking(move || asked.problem()).await? {
            None => check.ok(),
            Some(Problem::Passing(reason)) => check.not_ready(reason),
            Some(Problem::Fatal(reason)) => return Err(ConnectionError::Fatal(reason)),
        }
        metrics::gauge!("ess_producer_queue_records").set(log.producer.in_flight_count());
    }
}

async fn flush(log: Arc<KafkaProducer>, within: Duration) -> Result<(), ConnectionError> {
    let flushed = spawn_blocking(move || {
        let flushed = log.producer.flush(within);
        flushed.map_err(|error| ConnectionError::Unflushed {
            left: log.producer.in_flight_count(),
            error,
        })
    });
    flushed.await?
}

enum Problem {
    Passing(String),
    Fatal(String),
}

impl KafkaProducer {
    /// What stands against appending now. Blocks for one round trip.
    fn problem(&self) -> Option<Problem> {
        if let Some((code, reason)) = self.producer.client().fatal_error() {
            return Some(Problem::Fatal(format!("{code}: {reason}")));
        }
        // All topics are asked for, because asking for one by name may create it.
        match self.producer.client().fetch_metadata(None, ANSWERS_WITHIN) {
            Ok(metadata) => missing(&metadata, &self.topic).or_else(|| self.last_append()),
            Err(error) => Some(format!("no broker answers: {error}")),
        }
        .map(Problem::Passing)
    }

    fn last_append(&self) -> Option<String> {
        let code = self.producer.context().last_failure()?;
        Some(format!("the last append failed: {code}"))
    }
}

fn missing(metadata: &Metadata, name: &str) -> Option<String> {
    let mut topics = metadata.topics().iter();
    let Some(topic) = topics.find(|topic| topic.name() == name) else {
        return Some(format!(
            "topic {name} does not exist; `projector init` creates it"
        ));
    };
    let mut partitions = topic.partitions().iter();
    let leaderless = partitions.find(|partition| partition.leader() < 0)?;
    Some(format!(
        "partition {} of topic {name} has no leader",
        leaderless.id()
    ))
}
