//! The paths, one file each: arguments, document, question, and how its answer is read.

mod event;
mod events;
mod lag;
mod live;
mod playback;
mod playbacks;
mod projection;
mod report;
mod report_request;
mod report_rows;
mod retention;
mod summary;
mod top;
mod track;

pub(crate) use self::{
    event::GetEvents,
    events::ListEvents,
    lag::GetLag,
    live::GetLive,
    playback::GetPlayback,
    playbacks::ListPlaybacks,
    projection::GetProjection,
    report::GetReport,
    retention::GetRetention,
    top::GetTop,
    track::{GetTrack, GetUser},
};
