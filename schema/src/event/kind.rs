//! The playback events: each by its kind, the type of its data, and the command that makes it.
//! An event is declared in one line of [`playback_events!`]; every match over kinds is exhaustive.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::json_schema::json_schema;
use super::{
    CustomEvent, Play, PlaybackFailed, PlaybackFinished, PlaybackPaused, PlaybackProgressed,
    PlaybackRecorded, PlaybackResumed, PlaybackSeeked, PlaybackStalled, PlaybackStarted,
};

/// The command that records a custom event.
pub const RECORD_EVENT: &str = "RecordEvent";

/// The name is not one of a playback event or its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown name")]
pub struct UnknownKind;

/// Declares [`EventKind`] and [`EventData`]. The name of an event is that of the type of its data.
macro_rules! playback_events {
    ($($kind:ident($data:ident) by $command:literal,)+) => {
        /// The kind of a playback event. A custom event has none.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[expect(missing_docs, reason = "documented at the event types")]
        pub enum EventKind {
            $($kind,)+
        }

        /// The typed data of an event: of a playback event, or of a custom one.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        #[expect(missing_docs, reason = "each variant is documented at its type")]
        pub enum EventData {
            $($kind($data),)+
            Custom(CustomEvent),
        }

        impl EventKind {
            /// Every kind, in the order of DESIGN §3.
            pub const ALL: [Self; [$($command),+].len()] = [$(Self::$kind),+];

            /// The event's name, past tense.
            pub fn event_name(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($data),)+
                }
            }

            /// The command's name, imperative.
            pub fn command_name(self) -> &'static str {
                match self {
                    $(Self::$kind => $command,)+
                }
            }

            /// The schema of this event's data in `dialect`, as [`json_schema`] makes it.
            pub fn json_schema(self, dialect: SchemaSettings) -> Schema {
                match self {
                    $(Self::$kind => json_schema::<$data>(dialect),)+
                }
            }
        }

        impl EventData {
            /// The kind of a playback event, `None` for a custom event.
            pub fn kind(&self) -> Option<EventKind> {
                match self {
                    $(Self::$kind(_) => Some(EventKind::$kind),)+
                    Self::Custom(_) => None,
                }
            }

            /// The user, track and sequence number of a playback event, `None` for a custom event.
            pub fn play(&self) -> Option<&Play> {
                match self {
                    $(Self::$kind(data) => Some(&data.play),)+
                    Self::Custom(_) => None,
                }
            }
        }
    };
}

playback_events! {
    Started(PlaybackStarted) by "StartPlayback",
    Progressed(PlaybackProgressed) by "ReportProgress",
    Paused(PlaybackPaused) by "PausePlayback",
    Resumed(PlaybackResumed) by "ResumePlayback",
    Seeked(PlaybackSeeked) by "SeekPlayback",
    Stalled(PlaybackStalled) by "ReportStall",
    Finished(PlaybackFinished) by "FinishPlayback",
    Failed(PlaybackFailed) by "ReportFailure",
    Recorded(PlaybackRecorded) by "RecordPlayback",
}

impl EventKind {
    /// The kind whose event has this name.
    ///
    /// # Errors
    /// [`UnknownKind`].
    pub fn from_event_name(name: &str) -> Result<Self, UnknownKind> {
        let found = Self::ALL.into_iter().find(|k| k.event_name() == name);
        found.ok_or(UnknownKind)
    }

    /// The kind whose command has this name.
    ///
    /// # Errors
    /// [`UnknownKind`].
    pub fn from_command_name(name: &str) -> Result<Self, UnknownKind> {
        let found = Self::ALL.into_iter().find(|k| k.command_name() == name);
        found.ok_or(UnknownKind)
    }

    /// Every command name, for messages: `StartPlayback, ReportProgress, …, RecordEvent`.
    pub fn command_names() -> String {
        let mut names: Vec<_> = Self::ALL.iter().map(|k| k.command_name()).collect();
        names.push(RECORD_EVENT);
        names.join(", ")
    }
}
