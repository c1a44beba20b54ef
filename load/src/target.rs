//! Where facts go: over HTTP into the command-api, or straight into the log. Each delivers a batch and says of every fact
//! what became of it; none decides what that means for the run.

mod http;

use crate::facts::shape::Shape;
use crate::send::kafka::Kafka;
pub(crate) use http::{Http, root_cause};

use tokio_util::sync::CancellationToken;

use crate::lane::Due;

/// No more facts than this may be under way at once: it bounds the memory they take, some 150 MB.
pub(crate) const MOST_UNDER_WAY: usize = 100_000;

/// What became of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is in the log.
    Acknowledged,
    /// It is not, and never will be as it is.
    Refused(Reason),
    /// Nobody said; it may be repeated with the same id.
    Unknown(Reason),
}

/// Why a fact was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// Groups what has the same cause: one of few.
    pub(crate) kind: String,
    /// This one time.
    pub(crate) detail: String,
}

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// One for each fact, in their order.
    pub(crate) outcomes: Vec<Outcome>,
    /// How often facts of it had to be sent again.
    pub(crate) repeats: u64,
}

/// Where facts go.
pub(crate) enum Target {
    Http(Http),
    Kafka(Kafka),
}

impl Target {
    /// Delivers a batch; waits no longer between repeats once `stop` is cancelled.
    pub(crate) async fn deliver(&self, batch: &[Due], stop: &CancellationToken) -> Delivery {
        match self {
            Self::Http(http) => http.deliver(batch, stop).await,
            Self::Kafka(kafka) => kafka.deliver(batch).await,
        }
    }
}
