//! How often those who listen are told what is playing now, and how many may.

use std::time::Duration;

use ess_service::config::{ConfigError, ConfigKey, Section, millis};
use serde::Deserialize;

/// The streams of GET /stats/live.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LiveConfig {
    /// How often a question that is listened to is asked.
    #[serde(rename = "live_interval_ms", deserialize_with = "millis")]
    pub(crate) interval: Duration,
    /// The longest that nothing is sent.
    #[serde(rename = "live_heartbeat_ms", deserialize_with = "millis")]
    pub(crate) heartbeat: Duration,
    /// Streams open at the same time.
    #[serde(rename = "live_max_listeners")]
    pub(crate) listeners: usize,
    /// Different questions listened to at the same time.
    #[serde(rename = "live_max_questions")]
    pub(crate) questions: usize,
}

impl Section for LiveConfig {
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::new(
            "LIVE_INTERVAL_MS",
            "2000",
            "20 to 8000",
            "how often a stream of /stats/live is told what is playing now, in ms",
        ),
        ConfigKey::new(
            "LIVE_HEARTBEAT_MS",
            "15000",
            "20 to 15000",
            "after how long without an event a stream of /stats/live is sent a comment, in ms",
        ),
        ConfigKey::new(
            "LIVE_MAX_LISTENERS",
            "10000",
            "1 to 1000000",
            "streams of /stats/live open at the same time; more are refused with 503",
        ),
        ConfigKey::new(
            "LIVE_MAX_QUESTIONS",
            "100",
            "1 to 10000",
            "different questions that such streams may ask; more are refused with 503",
        ),
    ];

    fn checked(self) -> Result<Self, ConfigError> {
        let range = |key, value: u64, from: u64, to: u64| {
            ConfigError::check_range(Self::KEYS, key, &value, &(from..=to))
        };
        let interval = self.interval.as_millis() as u64;
        range("LIVE_INTERVAL_MS", interval, 20, 8_000)?;
        let heartbeat = self.heartbeat.as_millis() as u64;
        range("LIVE_HEARTBEAT_MS", heartbeat, 20, 15_000)?;
        range("LIVE_MAX_LISTENERS", self.listeners as u64, 1, 1_000_000)?;
        range("LIVE_MAX_QUESTIONS", self.questions as u64, 1, 10_000)?;
        Ok(self)
    }
}
