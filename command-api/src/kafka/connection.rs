//! Probes Kafka at intervals, reports the result as the readiness of this process (invariant I11), and flushes the producer at
//! shutdown.

use std::{sync::Arc, time::Duration};

use ess_service::health::Check;
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    metadata::Metadata,
    producer::Producer,
};
use tokio::{
    task::{JoinError, spawn_blocking},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::producer::KafkaProducer;

/// The time between two probes.
const PROBE_INTERVAL: Duration = Duration::from_secs(2);
/// How long a broker may take to answer a probe.
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);
/// A check that is not updated for this long means that this task is stuck.
pub(crate) const MAX_CHECK_AGE: Duration = Duration::from_secs(15);

/// Why the connection to Kafka ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    /// librdkafka reported a fatal error: only a new process can append again.
    #[error("fatal producer error: {0}")]
    Fatal(String),
    /// Records were left when the flush timed out.
    #[error("{records} records were not flushed: {error}")]
    Unflushed {
        /// The number of records left.
        records: i32,
        /// librdkafka's reason.
        error: KafkaError,
    },
    /// A defect.
    #[error("a producer task panicked: {0}")]
    Panicked(#[from] JoinError),
}

/// Updates `check` until `drained` is cancelled, that is, until no request is left; then flushes for at most `flush_timeout`.
///
/// # Errors
/// [`ConnectionError`].
pub(crate) async fn run(
    producer: Arc<KafkaProducer>,
    check: Check,
    drained: CancellationToken,
    flush_timeout: Duration,
) -> Result<(), ConnectionError> {
    let mut ticks = interval(PROBE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = drained.cancelled() => return flush(producer, flush_timeout).await,
            _ = ticks.tick() => {}
        }
        let probed = Arc::clone(&producer);
        match spawn_blocking(move || probed.probe()).await? {
            Ok(()) => check.ok(),
            Err(ProbeError::Fatal(reason)) => return Err(ConnectionError::Fatal(reason)),
            Err(error) => check.not_ready(error.to_string()),
        }
        metrics::gauge!("ess_producer_queue_records").set(producer.client.in_flight_count());
    }
}

async fn flush(
    producer: Arc<KafkaProducer>,
    flush_timeout: Duration,
) -> Result<(), ConnectionError> {
    let flushed = spawn_blocking(move || {
        let flushed = producer.client.flush(flush_timeout);
        flushed.map_err(|error| ConnectionError::Unflushed {
            records: producer.client.in_flight_count(),
            error,
        })
    });
    flushed.await?
}

/// Why events cannot be appended now. After `Fatal`, only a new process can append again.
#[derive(Debug, thiserror::Error)]
enum ProbeError {
    #[error("{0}")]
    Fatal(String),
    #[error("no broker answers: {0}")]
    NoBroker(KafkaError),
    #[error("topic {0} does not exist; `projector init` creates it")]
    NoTopic(String),
    #[error("partition {partition} of topic {topic} has no leader")]
    NoLeader { topic: String, partition: i32 },
    #[error("the last append failed: {0}")]
    LastAppend(RDKafkaErrorCode),
}

impl KafkaProducer {
    /// Checks whether events can be appended. Blocks for one round trip.
    fn probe(&self) -> Result<(), ProbeError> {
        let client = self.client.client();
        if let Some((code, reason)) = client.fatal_error() {
            return Err(ProbeError::Fatal(format!("{code}: {reason}")));
        }
        // Requests all topics, because a request for one topic may create it.
        let metadata = client.fetch_metadata(None, METADATA_TIMEOUT);
        check_topic(&metadata.map_err(ProbeError::NoBroker)?, &self.topic)?;
        match self.client.context().take_last_failure() {
            Some(code) => Err(ProbeError::LastAppend(code)),
            None => Ok(()),
        }
    }
}

fn check_topic(metadata: &Metadata, name: &str) -> Result<(), ProbeError> {
    let mut topics = metadata.topics().iter();
    let Some(topic) = topics.find(|topic| topic.name() == name) else {
        return Err(ProbeError::NoTopic(name.to_owned()));
    };
    let mut partitions = topic.partitions().iter();
    match partitions.find(|partition| partition.leader() < 0) {
        Some(leaderless) => Err(ProbeError::NoLeader {
            topic: name.to_owned(),
            partition: leaderless.id(),
        }),
        None => Ok(()),
    }
}
