//! The playback events of version 1 (DESIGN §3). Durations and media positions are in milliseconds.
//! The JSON Schemas in docs/schemas are made from these types.

use schemars::JsonSchema;
use serde::Serialize;

use crate::id::{TrackId, UserId};
use crate::json::{MAX_MS, MAX_TEXT_CHARS};

/// Who plays what: in every playback event, so that any one of them alone can be placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Play {
    /// The listener.
    pub user_id: UserId,
    /// The track.
    pub track_id: TrackId,
    /// Counts the events of one playback from 0, so that lost ones can be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = u32::MAX - 1))]
    pub seq: Option<u32>,
}

/// A playback began. Command: `StartPlayback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackStarted {
    /// Who plays what.
    #[serde(flatten)]
    pub play: Play,
    /// The track's length.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub track_duration_ms: Option<u64>,
    /// From the wish to play until the first sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub startup_ms: Option<u64>,
    /// The device, e.g. `iPhone 15`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_TEXT_CHARS))]
    pub device: Option<String>,
    /// The platform, e.g. `ios`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_TEXT_CHARS))]
    pub platform: Option<String>,
    /// The player's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_TEXT_CHARS))]
    pub app_version: Option<String>,
    /// ISO 3166-1 alpha-2, e.g. `DE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z]{2}$"))]
    pub country: Option<String>,
    /// The listener's plan, e.g. `premium`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_TEXT_CHARS))]
    pub plan: Option<String>,
    /// Where it was started from, e.g. `playlist:morning`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_TEXT_CHARS))]
    pub context: Option<String>,
}

/// A stretch of media was played. Command: `ReportProgress`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackProgressed {
    /// Who plays what.
    #[serde(flatten)]
    pub play: Play,
    /// Media position where the stretch begins.
    #[schemars(range(max = MAX_MS))]
    pub from_ms: u64,
    /// Media position where it ends; not before `from_ms`.
    #[schemars(range(max = MAX_MS))]
    pub to_ms: u64,
    /// Listening time; by default the length of the stretch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub played_ms: Option<u64>,
}

/// The listener paused. Command: `PausePlayback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackPaused {
    /// Who plays what.
    #[serde(flatten)]
    pub play: Play,
    /// Media position.
    #[schemars(range(max = MAX_MS))]
    pub position_ms: u64,
}

/// The listener went on. Command: `ResumePlayback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackResumed {
    /// Who plays what.
    #[serde(flatten)]
    pub play: Play,
    /// Media position.
    #[schemars(range(max = MAX_MS))]
    pub position_ms: u64,
    /// How long it had been paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub paused_ms: Option<u64>,
}

/// The listener jumped. Command: `SeekPlayback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackSeeked {
    /// Who plays what.
    #[serde(flatten)]
    pub play: Play,
    /// Media position jumped from.
    #[schemars(range(max = MAX_MS))]
    pub from_ms: u64,
    /// Media position jumped to; may lie before `from_ms`.
    #[schemars(range(max = MAX_MS))]
    pub to_ms: u64,
}

/// The player ran dry; sent when the rebuffering ends. Command: `ReportStall`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackStalled {
    /// Who plays what.
    #[serde(flatten)]
    pub play: Play,
    /// Media position.
    #[schemars(range(max = MAX_MS))]
    pub position_ms: u64,
    /// How long the rebuffering took.
    #[schemars(range(max = MAX_MS))]
    pub stalled_ms: u64,
}

/// Why a playback ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EndReason {
    /// Played to the end.
    Completed,
    /// The listener went to another track.
    Skipped,
    /// The listener stopped.
    Stopped,
}

impl EndReason {
    /// As it is sent, stored and answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Skipped => "skipped",
            Self::Stopped => "stopped",
        }
    }

    /// The reason with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Completed, Self::Skipped, Self::Stopped]
            .into_iter()
            .find(|reason| reason.as_str() == name)
    }
}

/// A playback ended. Command: `FinishPlayback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackFinished {
    /// Who plays what.
    #[serde(flatten)]
    pub play: Play,
    /// Media position.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub position_ms: Option<u64>,
    /// Why it ended.
    pub reason: EndReason,
    /// Where the last stretch begins; given together with `to_ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub from_ms: Option<u64>,
    /// Where the last stretch ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub to_ms: Option<u64>,
    /// Listening time of the last stretch, or of the whole playback when this is the only report.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub played_ms: Option<u64>,
    /// The track's length.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub track_duration_ms: Option<u64>,
}

/// Something failed. Command: `ReportFailure`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackFailed {
    /// Who plays what.
    #[serde(flatten)]
    pub play: Play,
    /// The player's code for it.
    #[schemars(length(min = 1, max = MAX_TEXT_CHARS))]
    pub code: String,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether it ended the playback.
    pub fatal: bool,
    /// Media position.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub position_ms: Option<u64>,
}

/// A whole playback told after the fact. Command: `RecordPlayback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackRecorded {
    /// Who plays what.
    #[serde(flatten)]
    pub play: Play,
    /// Listening time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub played_ms: Option<u64>,
    /// The track's length.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub track_duration_ms: Option<u64>,
}
