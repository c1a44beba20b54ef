//! The playback events of version 1 (DESIGN §3). Durations and media positions are in milliseconds.
//! The JSON Schemas in docs/schemas are generated from these types.

use schemars::JsonSchema;
use serde::Serialize;

use crate::id::{TrackId, UserId};
use crate::json::{MAX_MS, MAX_TEXT_CHARS};

/// The fields of every playback event, so that each event alone can be attributed to a user and a track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Play {
    /// The listener.
    pub user_id: UserId,
    /// The track.
    pub track_id: TrackId,
    /// Sequence number of the event in its playback, from 0. Reveals lost events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = u32::MAX - 1))]
    pub seq: Option<u32>,
}

/// A playback began. Command: `StartPlayback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackStarted {
    /// User, track and sequence number.
    #[serde(flatten)]
    pub play: Play,
    /// The track's length.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub track_duration_ms: Option<u64>,
    /// Time from the request to play until the first sound.
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
    /// User, track and sequence number.
    #[serde(flatten)]
    pub play: Play,
    /// Media position at the start of the stretch.
    #[schemars(range(max = MAX_MS))]
    pub from_ms: u64,
    /// Media position at the end of the stretch; not before `from_ms`.
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
    /// User, track and sequence number.
    #[serde(flatten)]
    pub play: Play,
    /// Media position.
    #[schemars(range(max = MAX_MS))]
    pub position_ms: u64,
}

/// The listener resumed. Command: `ResumePlayback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackResumed {
    /// User, track and sequence number.
    #[serde(flatten)]
    pub play: Play,
    /// Media position.
    #[schemars(range(max = MAX_MS))]
    pub position_ms: u64,
    /// Length of the pause.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub paused_ms: Option<u64>,
}

/// The listener sought to another position. Command: `SeekPlayback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackSeeked {
    /// User, track and sequence number.
    #[serde(flatten)]
    pub play: Play,
    /// Media position before the seek.
    #[schemars(range(max = MAX_MS))]
    pub from_ms: u64,
    /// Media position after the seek; may be before `from_ms`.
    #[schemars(range(max = MAX_MS))]
    pub to_ms: u64,
}

/// Playback stalled; sent when rebuffering ends. Command: `ReportStall`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackStalled {
    /// User, track and sequence number.
    #[serde(flatten)]
    pub play: Play,
    /// Media position.
    #[schemars(range(max = MAX_MS))]
    pub position_ms: u64,
    /// Length of the rebuffering.
    #[schemars(range(max = MAX_MS))]
    pub stalled_ms: u64,
}

/// Why a playback ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EndReason {
    /// Played to the end.
    Completed,
    /// The listener skipped to another track.
    Skipped,
    /// The listener stopped.
    Stopped,
}

impl EndReason {
    /// The name that is sent, stored and served.
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
    /// User, track and sequence number.
    #[serde(flatten)]
    pub play: Play,
    /// Media position.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub position_ms: Option<u64>,
    /// Why it ended.
    pub reason: EndReason,
    /// Media position at the start of the last stretch; requires `to_ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub from_ms: Option<u64>,
    /// Media position at the end of the last stretch; requires `from_ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub to_ms: Option<u64>,
    /// Listening time of the last stretch, or of the entire playback if no other event reports any.
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
    /// User, track and sequence number.
    #[serde(flatten)]
    pub play: Play,
    /// The player's error code.
    #[schemars(length(min = 1, max = MAX_TEXT_CHARS))]
    pub code: String,
    /// The error message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether it ended the playback.
    pub fatal: bool,
    /// Media position.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_MS))]
    pub position_ms: Option<u64>,
}

/// An entire playback, recorded afterwards. Command: `RecordPlayback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlaybackRecorded {
    /// User, track and sequence number.
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
