//! Streams of server-sent events with what is playing now. All subscribers of one question share one query an interval, which runs
//! only while there are subscribers. Nothing is queued: a slow subscriber gets the newest event.

mod poller;
mod snapshot;
mod subscriber;
mod subscriptions;

pub(crate) use self::{
    snapshot::LastEventId,
    subscriptions::{EventStream, Subscriptions},
};
use std::{future::Future, sync::Arc};

use ess_schema::{Position, Timestamp};
use ess_service::problem::Problem;

use crate::{question::LiveQuestion, read::View};

/// The answer to a question at one time.
#[derive(Debug)]
pub(crate) struct LiveState {
    /// The time of the query.
    pub(crate) as_of: Timestamp,
    /// The progress of the read model that the answer includes.
    pub(crate) view: Arc<View>,
    /// The answer as JSON on one line.
    pub(crate) body: Vec<u8>,
}

/// Answers questions.
pub(crate) trait LiveSource: Send + Sync + 'static {
    /// Answers a question once.
    ///
    /// # Errors
    /// When the read model is unavailable.
    fn query(
        &self,
        question: &LiveQuestion,
    ) -> impl Future<Output = Result<LiveState, Problem>> + Send;
}

/// Where a stream begins.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamStart {
    /// The last event that the client received. Retained events after it are sent first.
    pub(crate) last: Option<LastEventId>,
    /// Positions that every event must include.
    pub(crate) after: Vec<Position>,
}

#[cfg(test)]
mod tests;
