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
mod report_rows;
mod retention;
mod summary;
mod top;
mod track;

use poem_openapi::Tags;

pub(crate) use self::{
    event::EventApi, events::EventsApi, lag::LagApi, live::LiveApi, playback::PlaybackApi,
    playbacks::PlaybacksApi, projection::ProjectionApi, report::ReportApi, retention::RetentionApi,
    top::TopApi, track::TrackApi,
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
