//! The two thresholds of playback statistics: which playback is a counted stream, and when a silent one is settled.

use serde::Deserialize;

use super::{ConfigKey, Section};

/// Which playbacks count, and when a playback is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct PolicyConfig {
    /// A playback with at least this much played time is a counted stream, ms.
    pub counted_stream_threshold_ms: u64,
    /// A playback without an end is settled after this long without events, ms.
    pub settle_after_ms: u64,
}

impl Section for PolicyConfig {
    const TITLE: &'static str = "Playback statistics";
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::integer(
            "COUNTED_STREAM_THRESHOLD_MS",
            "30000",
            0..=86_400_000,
            "played time that makes a playback a counted stream, in ms",
        ),
        ConfigKey::integer(
            "SETTLE_AFTER_MS",
            "1800000",
            1_000..=604_800_000,
            "time without events after which a playback is settled, in ms",
        ),
    ];
}
