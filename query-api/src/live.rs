//! What is playing now, told again and again to those who listen. However many listen to one question, it is asked once an
//! interval, and only while somebody listens. Nothing is queued for anybody: a listener that reads late reads the newest.

mod feed;
mod hub;
mod listener;
mod snapshot;

pub(crate) use self::{
    hub::{Hub, Listening},
    snapshot::LastEventId,
};
use std::{future::Future, sync::Arc};

use ess_schema::{Position, Timestamp};
use ess_service::problem::Problem;

use crate::{question::LiveQuestion, read::View};

/// One answer.
#[derive(Debug)]
pub(crate) struct Look {
    /// When it was asked.
    pub(crate) as_of: Timestamp,
    /// What the read model held at least.
    pub(crate) view: Arc<View>,
    /// The answer as JSON on one line.
    pub(crate) body: Vec<u8>,
}

/// Where answers come from.
pub(crate) trait Source: Send + Sync + 'static {
    /// Asks once.
    fn look(&self, question: &LiveQuestion) -> impl Future<Output = Result<Look, Problem>> + Send;
}

/// How one who listens begins.
#[derive(Debug, Clone, Default)]
pub(crate) struct Begin {
    /// The event that was read last; those after it that are still kept are told first.
    pub(crate) last: Option<LastEventId>,
    /// Positions that everything told must hold.
    pub(crate) after: Vec<Position>,
}

#[cfg(test)]
mod tests;
