//! The two numbers that say what counts as a stream and when a silent playback is over.

use serde::Deserialize;

use super::{ConfigError, ConfigKey, Section};

/// What counts, and when a playback is settled (DESIGN, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct PolicyConfig {
    /// A playback with at least this much played time is a counted stream, ms.
    pub counted_stream_threshold_ms: u64,
    /// A playback silent for this long without an end is settled, ms.
    pub settle_after_ms: u64,
}

impl Section for PolicyConfig {
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "COUNTED_STREAM_THRESHOLD_MS",
            "30000",
            "0 to 86400000",
            "played time that makes a counted stream, in ms",
        ),
        ConfigKey::new(
            "SETTLE_AFTER_MS",
            "1800000",
            "1000 to 604800000",
            "silence after which a playback is settled, in ms",
        ),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        let (day, week) = (86_400_000, 604_800_000);
        ConfigError::check_range(
            Self::KEYS,
            "COUNTED_STREAM_THRESHOLD_MS",
            &self.counted_stream_threshold_ms,
            &(0..=day),
        )?;
        ConfigError::check_range(
            Self::KEYS,
            "SETTLE_AFTER_MS",
            &self.settle_after_ms,
            &(1_000..=week),
        )?;
        Ok(self)
    }
}
