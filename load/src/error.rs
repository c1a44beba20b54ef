//! Why a run cannot begin. A problem with single facts is no error of the run: it is counted and reported.

use std::io;

use ess_schema::time::InvalidTime;

use crate::chaos::NoVictim;
use crate::read_model::ReadModelError;
use crate::report::ReportError;
use crate::scenario::InvalidScenario;
use crate::send::kafka::ConnectError;

/// A run that cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot start the asynchronous runtime: {0}")]
    Runtime(#[source] io::Error),
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] io::Error),
    #[error("the clock of this machine {0}")]
    Clock(#[from] InvalidTime),
    #[error(
        "--batch {batch} times --concurrency {concurrency} is more than {max} events in flight"
    )]
    TooManyInFlight {
        batch: usize,
        concurrency: usize,
        max: usize,
    },
    #[error("cannot create an HTTP client: {0}")]
    Client(#[source] reqwest::Error),
    #[error("nothing answers at {url} ({reason}); is ESS running? ./start.sh starts it")]
    Unreachable { url: String, reason: String },
    #[error(transparent)]
    Kafka(#[from] ConnectError),
    #[error(transparent)]
    Scenario(#[from] InvalidScenario),
    #[error("test_id {0}")]
    TestId(String),
    #[error("{0}; --no-check skips the proof")]
    ReadModel(#[source] ReadModelError),
    #[error(transparent)]
    Chaos(#[from] NoVictim),
    #[error(transparent)]
    Report(#[from] ReportError),
}
