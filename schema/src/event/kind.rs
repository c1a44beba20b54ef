//! The names of the playback events and of the commands that make them: one command, one event.

use serde::Serialize;

/// A playback event of this build. The name of a custom event is no kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[expect(missing_docs, reason = "documented at the event types")]
pub enum EventKind {
    Started,
    Progressed,
    Paused,
    Resumed,
    Seeked,
    Stalled,
    Finished,
    Failed,
    Recorded,
}

/// The name is none of the known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown name")]
pub struct UnknownKind;

/// The command that records a custom event.
pub const RECORD_EVENT: &str = "RecordEvent";

impl EventKind {
    /// Every kind, in the order of DESIGN §3.
    pub const ALL: [Self; 9] = [
        Self::Started,
        Self::Progressed,
        Self::Paused,
        Self::Resumed,
        Self::Seeked,
        Self::Stalled,
        Self::Finished,
        Self::Failed,
        Self::Recorded,
    ];

    /// The event's name, past tense.
    pub fn event_name(self) -> &'static str {
        self.names().0
    }

    /// The command's name, imperative.
    pub fn command_name(self) -> &'static str {
        self.names().1
    }

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

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Started => ("PlaybackStarted", "StartPlayback"),
            Self::Progressed => ("PlaybackProgressed", "ReportProgress"),
            Self::Paused => ("PlaybackPaused", "PausePlayback"),
            Self::Resumed => ("PlaybackResumed", "ResumePlayback"),
            Self::Seeked => ("PlaybackSeeked", "SeekPlayback"),
            Self::Stalled => ("PlaybackStalled", "ReportStall"),
            Self::Finished => ("PlaybackFinished", "FinishPlayback"),
            Self::Failed => ("PlaybackFailed", "ReportFailure"),
            Self::Recorded => ("PlaybackRecorded", "RecordPlayback"),
        }
    }
}
