//! The paths. A handler reads its parameters, waits for what the caller wants to see, and passes the question to the cache;
//! what a question means to the read model stands in `queries`.

mod asked;
mod event;
mod events;
mod lag;
mod list;
mod live;
mod playback;
mod playbacks;
mod projection;
mod report;
mod retention;
mod summary;
mod top;
mod track;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use ess_schema::{Timestamp, playback::Policy};
use ess_service::problem::{Problem, ProblemKind};

use poem_openapi::Tags;

use crate::{
    cache::Cache,
    config::{CacheConfig, LimitsConfig},
    conflicts::LastCount,
    live::{Hub, Playbacks},
    loader::Loader,
    read_model::ReadModel,
    watermark::Watch,
};

pub(crate) use self::{
    event::EventApi,
    events::EventsApi,
    lag::{LagApi, LagQuestion},
    live::LiveApi,
    playback::PlaybackApi,
    playbacks::PlaybacksApi,
    projection::ProjectionApi,
    report::ReportApi,
    retention::RetentionApi,
    summary::Summary,
    top::TopApi,
    track::TrackApi,
};

const UNAVAILABLE: &str = "The positions waited for are not projected yet, the read model cannot be asked, or too much is asked at once";
const UNACCEPTABLE: &str =
    "None of the media types asked for can be produced; `detail` names those that can";
const INVALID: &str = "A parameter is not what it may be or does not go with another (`errors` names it), or the question costs more than one may";

/// The problems of a question about many playbacks.
const PROBLEMS_OF_MANY: &[(u16, &str)] = &[(406, UNACCEPTABLE), (422, INVALID), (503, UNAVAILABLE)];
/// The problems of a question about the playbacks of one track or listener.
const PROBLEMS_OF_ONE: &[(u16, &str)] = &[
    (404, "No playback of it is stored (yet)"),
    (422, INVALID),
    (503, UNAVAILABLE),
];

/// What the paths are about, as the document groups them.
#[derive(Tags)]
pub(crate) enum Tag {
    /// What playbacks amounted to.
    Stats,
    /// The facts themselves, each once.
    Events,
    /// How far the log has been folded.
    Projection,
}

/// What every path needs.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Where questions are asked.
    pub(crate) read_model: Arc<ReadModel>,
    /// Where single playbacks are asked for.
    pub(crate) playbacks: Loader<ReadModel>,
    /// What was answered a moment ago.
    pub(crate) cache: Cache,
    /// How far the read model is.
    pub(crate) watch: Watch,
    /// How many identities bear messages that differ.
    pub(crate) conflicts: LastCount,
    /// Who is told what is playing now.
    pub(crate) live: Hub<Playbacks>,
    /// What counts, and when a playback is settled.
    pub(crate) policy: Policy,
    /// How long answers hold that may change at any moment.
    pub(crate) open_ttl: Duration,
    /// How long the answer about a settled playback holds.
    pub(crate) settled_ttl: Duration,
}

impl Reader {
    pub(crate) fn new(
        read_model: Arc<ReadModel>,
        watch: Watch,
        conflicts: LastCount,
        live: Hub<Playbacks>,
        policy: Policy,
        config: &CacheConfig,
        limits: &LimitsConfig,
    ) -> Self {
        Self {
            playbacks: Loader::new(Arc::clone(&read_model), limits),
            read_model,
            cache: Cache::new(config),
            watch,
            conflicts,
            live,
            policy,
            open_ttl: config.open_ttl,
            settled_ttl: config.settled_ttl,
        }
    }
}

/// The time of day.
///
/// # Errors
/// A clock outside the years that ESS keeps.
pub(crate) fn now() -> Result<Timestamp, Problem> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let millis = since
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok());
    millis
        .and_then(|millis| Timestamp::from_millis(millis).ok())
        .ok_or_else(|| {
            tracing::error!("the clock of this machine lies outside the years 1970 to 2261");
            Problem::new(ProblemKind::Internal, "the clock of the server is wrong")
        })
}
