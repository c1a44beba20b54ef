//! Why a run could not begin. What goes wrong with single facts is no error of the run: it is counted and told.

use std::io;

use ess_schema::time::InvalidTime;

use crate::read_model::StoreError;
use crate::report::ReportError;
use crate::scenario::InvalidScenario;

/// A run that could not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot start the asynchronous runtime: {0}")]
    Runtime(#[source] io::Error),
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] io::Error),
    #[error("the clock of this machine {0}")]
    Clock(#[source] InvalidTime),
    #[error(
        "--batch {batch} times --concurrency {concurrency} is more than {most} events under way"
    )]
    TooManyUnderWay {
        batch: usize,
        concurrency: usize,
        most: usize,
    },
    #[error("cannot make an HTTP client: {0}")]
    Client(#[source] reqwest::Error),
    #[error("nothing answers at {url} ({reason}); is ESS running? ./start.sh starts it")]
    Unreachable { url: String, reason: String },
    #[error("cannot make a Kafka producer: {0}")]
    Producer(#[source] rdkafka::error::KafkaError),
    #[error("cannot reach topic {topic} at {brokers}: {reason}")]
    Topic {
        brokers: String,
        topic: String,
        reason: String,
    },
    #[error(transparent)]
    Scenario(InvalidScenario),
    #[error("test_id {0}")]
    TestId(String),
    #[error("{0}; without proof: --no-check")]
    Store(#[source] StoreError),
    #[error(
        "{name} does not run as a process of {run_dir}: chaos is for a stack that `cargo xtask up` started (--run-dir)"
    )]
    NoVictim { name: &'static str, run_dir: String },
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("cannot write {path}: {source}")]
    Write { path: String, source: io::Error },
}
