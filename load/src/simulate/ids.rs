//! The ids of simulated playbacks and facts: UUIDs (version 5, RFC 9562) of the configuration and a number. Never random: the same
//! configuration gives the same ids, any other configuration gives others.

use ess_schema::id::InvalidId;
use ess_schema::{EventId, PlaybackId, TestId};
use uuid::Uuid;

use super::SimulatorConfig;

/// The ids of one run.
#[derive(Debug, Clone)]
pub(super) struct Ids(Uuid);

impl Ids {
    pub(super) fn new(config: &SimulatorConfig) -> Self {
        let test_id = config.test_id.as_ref().map_or("", TestId::as_str);
        let run = format!(
            "ess-load/{}/{}/{test_id}",
            config.seed,
            config.start.as_millis()
        );
        Self(Uuid::new_v5(&Uuid::NAMESPACE_OID, run.as_bytes()))
    }

    pub(super) fn of_playback(&self, index: u64) -> PlaybackIds {
        PlaybackIds(Uuid::new_v5(&self.0, &index.to_be_bytes()))
    }
}

/// The ids of one playback.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlaybackIds(Uuid);

impl PlaybackIds {
    pub(super) fn playback(self) -> PlaybackId {
        valid(PlaybackId::new(self.0.to_string()))
    }

    /// The id of its fact number `number`.
    pub(super) fn event(self, number: u32) -> EventId {
        let id = Uuid::new_v5(&self.0, &number.to_be_bytes());
        valid(EventId::new(id.to_string()))
    }
}

fn valid<T>(id: Result<T, InvalidId>) -> T {
    #[expect(clippy::expect_used, reason = "a UUID is 36 visible characters")]
    id.expect("an id")
}
