//! The interval and the number of streams of what is playing now.

use std::time::Duration;

use ess_service::config::{ConfigKey, Section, millis};
use serde::Deserialize;

/// The streams of GET /stats/live.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LiveConfig {
    /// The interval between the queries of a stream.
    #[serde(rename = "live_interval_ms", deserialize_with = "millis")]
    pub(crate) interval: Duration,
    /// The maximum time without an event or comment.
    #[serde(rename = "live_heartbeat_ms", deserialize_with = "millis")]
    pub(crate) heartbeat: Duration,
    /// The maximum number of open streams.
    #[serde(rename = "live_max_listeners")]
    pub(crate) listeners: usize,
    /// The maximum number of different queries among them.
    #[serde(rename = "live_max_questions")]
    pub(crate) questions: usize,
}

impl Section for LiveConfig {
    const TITLE: &'static str = "Live streams";
    const KEYS: &'static [ConfigKey] = &[
        ConfigKey::integer(
            "LIVE_INTERVAL_MS",
            "2000",
            20..=8_000,
            "interval between the events of a /stats/live stream, in ms",
        ),
        ConfigKey::integer(
            "LIVE_HEARTBEAT_MS",
            "15000",
            20..=15_000,
            "time without an event after which a /stats/live stream sends a comment, in ms",
        ),
        ConfigKey::integer(
            "LIVE_MAX_LISTENERS",
            "10000",
            1..=1_000_000,
            "maximum number of open /stats/live streams; further ones get 503",
        ),
        ConfigKey::integer(
            "LIVE_MAX_QUESTIONS",
            "100",
            1..=10_000,
            "maximum number of different queries among the open /stats/live streams; further ones get 503",
        ),
    ];
}
