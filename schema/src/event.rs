//! An event: a fact in the log, with its identity, times and data.
//! The data is typed, and retained as the raw text that was sent.

mod custom;
mod json_schema;
mod kind;
mod playback;
mod read;

pub use custom::CustomEvent;
pub use json_schema::json_schema;
pub use kind::{EventData, EventKind, RECORD_EVENT, UnknownKind};
pub use playback::{
    EndReason, Play, PlaybackFailed, PlaybackFinished, PlaybackPaused, PlaybackProgressed,
    PlaybackRecorded, PlaybackResumed, PlaybackSeeked, PlaybackStalled, PlaybackStarted,
};
pub use read::MAX_CONTENT_BYTES;
pub(crate) use read::{check_content, read_data};

use serde::Serialize;

use crate::id::{EventId, PlaybackId, Source, TestId, UserId};
use crate::time::Timestamp;

/// The schema version that this build writes, for every event.
pub const CURRENT_VERSION: u16 = 1;

/// One event with its envelope. Its identity is (`source`, `id`).
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Unique within `source`.
    pub id: EventId,
    /// The producer of the event.
    pub source: Source,
    /// The playback it belongs to: required for playback events, optional for custom events.
    pub playback_id: Option<PlaybackId>,
    /// When it happened at the source.
    pub occurred_at: Timestamp,
    /// When ESS accepted it.
    pub ingest_time: Timestamp,
    /// The schema version of `content`.
    pub schemaversion: u16,
    /// The test run it belongs to.
    pub test_id: Option<TestId>,
    /// The typed data.
    pub data: EventData,
    /// The data as it was sent.
    pub content: Content,
    /// CloudEvents extension attributes (`traceparent`, `dataschema` …): name and raw JSON value.
    pub extensions: Vec<(String, String)>,
}

/// An event's `data` as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// The media type, `None` for `application/json`.
    pub datacontenttype: Option<String>,
    /// Raw JSON text; a JSON string for text; `None` without data and for binary data.
    pub json: Option<String>,
    /// Binary data in base64.
    pub base64: Option<String>,
}

impl Content {
    /// Content with its declared media type.
    pub(crate) fn declared(
        media_type: Option<String>,
        json: Option<String>,
        base64: Option<String>,
    ) -> Self {
        Self {
            datacontenttype: media_type.filter(|declared| declared != "application/json"),
            json,
            base64,
        }
    }

    /// Content of the media type `application/json`.
    pub fn json(text: String) -> Self {
        Self {
            json: Some(text),
            ..Self::default()
        }
    }
}

/// The state an event leaves its playback in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum PlayState {
    Playing,
    Paused,
    Finished,
    Failed,
}

impl PlayState {
    /// The name that is stored and served.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Playing => "playing",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Playing, Self::Paused, Self::Finished, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

impl EventData {
    /// The event's name in the log, e.g. `PlaybackStarted`.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Custom(custom) => custom.name.as_str(),
            typed => typed.kind().map_or("", EventKind::event_name),
        }
    }

    /// The user, `None` for a custom event without one.
    pub fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::Custom(custom) => custom.user_id.as_ref(),
            typed => typed.play().map(|play| &play.user_id),
        }
    }

    /// The state this event leaves its playback in. `None` for events without effect on the state: a seek, a failure that
    /// is not fatal, a custom event.
    pub fn state(&self) -> Option<PlayState> {
        match self {
            Self::Started(_) | Self::Progressed(_) | Self::Resumed(_) | Self::Stalled(_) => {
                Some(PlayState::Playing)
            }
            Self::Paused(_) => Some(PlayState::Paused),
            Self::Finished(_) | Self::Recorded(_) => Some(PlayState::Finished),
            Self::Failed(e) => e.fatal.then_some(PlayState::Failed),
            Self::Seeked(_) | Self::Custom(_) => None,
        }
    }

    /// Listening time in ms: `played_ms` if given, else the length of the played stretch, else 0.
    pub fn played_ms(&self) -> u64 {
        let given = match self {
            Self::Progressed(e) => e.played_ms,
            Self::Finished(e) => e.played_ms,
            Self::Recorded(e) => e.played_ms,
            _ => None,
        };
        given
            .or_else(|| self.stretch().map(|(from, to)| to - from))
            .unwrap_or(0)
    }

    /// The played stretch of media: [from, to) in ms.
    pub fn stretch(&self) -> Option<(u64, u64)> {
        match self {
            Self::Progressed(e) => Some((e.from_ms, e.to_ms)),
            Self::Finished(e) => e.from_ms.zip(e.to_ms),
            _ => None,
        }
    }

    /// The media position in ms, apart from that of the played stretch.
    pub fn position_ms(&self) -> Option<u64> {
        match self {
            Self::Paused(e) => Some(e.position_ms),
            Self::Resumed(e) => Some(e.position_ms),
            Self::Stalled(e) => Some(e.position_ms),
            Self::Finished(e) => e.position_ms,
            Self::Failed(e) => e.position_ms,
            _ => None,
        }
    }

    /// The track's length in ms, if this event carries it.
    pub fn track_duration_ms(&self) -> Option<u64> {
        match self {
            Self::Started(e) => e.track_duration_ms,
            Self::Finished(e) => e.track_duration_ms,
            Self::Recorded(e) => e.track_duration_ms,
            _ => None,
        }
    }
}
