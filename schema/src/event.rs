//! An event: a fact in the log, with its identity, times and place, and what it says.
//! Typed at the edge; its `data` is kept as the raw text it came as.

mod custom;
mod json_schema;
mod kind;
mod playback;
mod read;

pub use custom::CustomEvent;
pub use json_schema::json_schema;
pub use kind::{EventKind, RECORD_EVENT, UnknownKind};
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
    /// Who says so.
    pub source: Source,
    /// The playback it belongs to: always there for playback events, optional for custom ones.
    pub playback_id: Option<PlaybackId>,
    /// When it happened at the source.
    pub occurred_at: Timestamp,
    /// When ESS accepted it.
    pub ingest_time: Timestamp,
    /// The version its `content` was written in.
    pub schemaversion: u16,
    /// The test run it belongs to.
    pub test_id: Option<TestId>,
    /// What it says, typed.
    pub data: EventData,
    /// What it says, as it was sent.
    pub content: Content,
    /// CloudEvents attributes that ESS has no place of its own for (`traceparent`, `dataschema` …):
    /// name and raw JSON value.
    pub extensions: Vec<(String, String)>,
}

/// An event's `data` as it came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// The media type, none for `application/json`.
    pub datacontenttype: Option<String>,
    /// Raw JSON text; for text content a JSON string; none without data or for binary data.
    pub json: Option<String>,
    /// Binary data in base64.
    pub base64: Option<String>,
}

impl Content {
    /// Content with the media type it was declared as.
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

    /// JSON content without a media type of its own.
    pub fn json(text: String) -> Self {
        Self {
            json: Some(text),
            ..Self::default()
        }
    }
}

/// What an event says: one of the playback events, or any other.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "each variant is documented at its type")]
pub enum EventData {
    Started(PlaybackStarted),
    Progressed(PlaybackProgressed),
    Paused(PlaybackPaused),
    Resumed(PlaybackResumed),
    Seeked(PlaybackSeeked),
    Stalled(PlaybackStalled),
    Finished(PlaybackFinished),
    Failed(PlaybackFailed),
    Recorded(PlaybackRecorded),
    Custom(CustomEvent),
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
    /// As it is stored and answered.
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

    /// Which playback event it is, none for a custom one.
    pub fn kind(&self) -> Option<EventKind> {
        Some(match self {
            Self::Started(_) => EventKind::Started,
            Self::Progressed(_) => EventKind::Progressed,
            Self::Paused(_) => EventKind::Paused,
            Self::Resumed(_) => EventKind::Resumed,
            Self::Seeked(_) => EventKind::Seeked,
            Self::Stalled(_) => EventKind::Stalled,
            Self::Finished(_) => EventKind::Finished,
            Self::Failed(_) => EventKind::Failed,
            Self::Recorded(_) => EventKind::Recorded,
            Self::Custom(_) => return None,
        })
    }

    /// Whose event it is, none for a custom one that does not say.
    pub fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::Custom(custom) => custom.user_id.as_ref(),
            typed => typed.play().map(|play| &play.user_id),
        }
    }

    /// Who plays what, none for a custom event.
    pub fn play(&self) -> Option<&Play> {
        Some(match self {
            Self::Started(e) => &e.play,
            Self::Progressed(e) => &e.play,
            Self::Paused(e) => &e.play,
            Self::Resumed(e) => &e.play,
            Self::Seeked(e) => &e.play,
            Self::Stalled(e) => &e.play,
            Self::Finished(e) => &e.play,
            Self::Failed(e) => &e.play,
            Self::Recorded(e) => &e.play,
            Self::Custom(_) => return None,
        })
    }

    /// The state this event leaves its playback in; none when it says nothing about it
    /// (a seek, an error that did not end the playback, a custom event).
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

    /// Listening time this event reports, in ms: what it gives, else the length of its stretch, else 0.
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

    /// The stretch of media it reports as played: [from, to) in ms.
    pub fn stretch(&self) -> Option<(u64, u64)> {
        match self {
            Self::Progressed(e) => Some((e.from_ms, e.to_ms)),
            Self::Finished(e) => e.from_ms.zip(e.to_ms),
            _ => None,
        }
    }

    /// The media position it names besides its stretch, in ms.
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

    /// The track's length as this event gives it, in ms.
    pub fn track_duration_ms(&self) -> Option<u64> {
        match self {
            Self::Started(e) => e.track_duration_ms,
            Self::Finished(e) => e.track_duration_ms,
            Self::Recorded(e) => e.track_duration_ms,
            _ => None,
        }
    }
}
