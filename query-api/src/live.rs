//! What is playing now, told again and again to those who listen. However many listen to one question, it is asked once an
//! interval, and only while somebody listens. Nothing is queued for anybody: a listener that reads late reads the newest.

mod feed;
mod hub;
mod listener;
mod playing;
mod snapshot;

pub(crate) use self::{
    hub::{Hub, Listening},
    playing::Playbacks,
    snapshot::LastEventId,
};
use std::{future::Future, sync::Arc};

use ess_schema::{Position, Timestamp, TrackId};
use ess_service::problem::Problem;

use crate::{
    parameters::{Country, Limit},
    watermark::View,
};

/// What is asked about the playbacks that are playing now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LiveQuestion {
    /// Only of this track.
    pub(crate) track_id: Option<TrackId>,
    /// Only of this country.
    pub(crate) country: Option<Country>,
    /// The most tracks, and the most countries, that are named.
    pub(crate) limit: Limit,
}

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
