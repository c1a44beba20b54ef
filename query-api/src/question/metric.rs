//! What is measured of many playbacks. What a metric means is told here, how it is computed in `queries/report.rs`.

/// A metric of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Metric {
    Attempts,
    Plays,
    Streams,
    PlayedMs,
    UniqueListeners,
    AvgPlayedMs,
    MedianPlayedMs,
    CompletionRate,
    SkipRate,
    FailureRate,
    RebufferRatio,
    StalledMs,
    StartupMsP50,
    StartupMsP95,
    PeakConcurrent,
}

impl Metric {
    /// All of them, in the order in which they are told.
    pub(crate) const ALL: [Self; 15] = [
        Self::Attempts,
        Self::Plays,
        Self::Streams,
        Self::PlayedMs,
        Self::UniqueListeners,
        Self::AvgPlayedMs,
        Self::MedianPlayedMs,
        Self::CompletionRate,
        Self::SkipRate,
        Self::FailureRate,
        Self::RebufferRatio,
        Self::StalledMs,
        Self::StartupMsP50,
        Self::StartupMsP95,
        Self::PeakConcurrent,
    ];

    /// Its name in questions and answers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Plays => "plays",
            Self::Streams => "streams",
            Self::PlayedMs => "played_ms",
            Self::UniqueListeners => "unique_listeners",
            Self::AvgPlayedMs => "avg_played_ms",
            Self::MedianPlayedMs => "median_played_ms",
            Self::CompletionRate => "completion_rate",
            Self::SkipRate => "skip_rate",
            Self::FailureRate => "failure_rate",
            Self::RebufferRatio => "rebuffer_ratio",
            Self::StalledMs => "stalled_ms",
            Self::StartupMsP50 => "startup_ms_p50",
            Self::StartupMsP95 => "startup_ms_p95",
            Self::PeakConcurrent => "peak_concurrent",
        }
    }

    /// What it means.
    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::Attempts => "Playbacks, whatever became of them.",
            Self::Plays => "Playbacks that something was listened to of.",
            Self::Streams => "Playbacks listened to long enough to count as a stream.",
            Self::PlayedMs => "Listening time of all.",
            Self::UniqueListeners => "Distinct users of the plays.",
            Self::AvgPlayedMs => "Listening time of a play on average; null without plays.",
            Self::MedianPlayedMs => {
                "The median listening time of the plays, between the two middle ones of an even number; null without plays."
            }
            Self::CompletionRate => {
                "The share of plays that were completed: ended as completed, or 95 percent of the track reached."
            }
            Self::SkipRate => {
                "The share of attempts that ended as skipped before they counted as a stream."
            }
            Self::FailureRate => "The share of attempts that a fatal failure ended.",
            Self::RebufferRatio => {
                "stalled_ms ÷ (played_ms + stalled_ms) of all; null when both are 0."
            }
            Self::StalledMs => "Time spent rebuffering of all.",
            Self::StartupMsP50 => {
                "The median of startup_ms where it was told; null where it never was."
            }
            Self::StartupMsP95 => "The 95th percentile of startup_ms where it was told.",
            Self::PeakConcurrent => {
                "The most playbacks at one moment of the period or time bucket, each there from its first event to its last, whenever it began."
            }
        }
    }

    /// Whether it is a whole number and never null.
    pub(crate) const fn is_count(self) -> bool {
        matches!(
            self,
            Self::Attempts
                | Self::Plays
                | Self::Streams
                | Self::PlayedMs
                | Self::UniqueListeners
                | Self::StalledMs
                | Self::PeakConcurrent
        )
    }

    /// The metric of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// Every name, for those who asked for another one.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}
