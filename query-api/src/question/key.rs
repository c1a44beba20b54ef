//! Every question, as the key of its cached answer.

use ess_schema::{EventId, PlaybackId};

use super::{
    events::EventsPage, format::Format, lag::LagQuestion, live::LiveQuestion,
    playbacks::PlaybacksPage, report::Report, retention::RetentionQuestion, summary::Summary,
};

/// A question, as the key of its cached answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// GET /stats/playback/{id}
    Playback(PlaybackId),
    /// GET /stats/playbacks
    Playbacks(PlaybacksPage, Format),
    /// GET /stats/report and GET /stats/top, with or without totals.
    Report(Report, bool, Format),
    /// GET /stats/track/{id}/retention
    Retention(RetentionQuestion),
    /// GET /stats/track/{id} and GET /stats/user/{id}
    Summary(Summary),
    /// GET /stats/lag
    Lag(LagQuestion),
    /// GET /stats/live
    Live(LiveQuestion),
    /// GET /events
    Events(EventsPage, Format),
    /// GET /events/{id}
    Event(EventId, Format),
}
