//! What every path needs.

use std::{sync::Arc, time::Duration};

use ess_schema::playback::Policy;

use super::playing::Playbacks;
use crate::{
    config::{CacheConfig, LimitsConfig},
    live::Hub,
    read::{Cache, LastCount, Loader, ReadModel, Watch},
};

/// What every path needs.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Where questions are asked.
    pub(crate) read_model: Arc<ReadModel>,
    /// Where single playbacks are asked for.
    pub(crate) playbacks: Loader<ReadModel>,
    /// What was answered a moment ago.
    pub(crate) cache: Cache,
    /// How far the read model is.
    pub(crate) watch: Watch,
    /// How many identities bear messages that differ.
    pub(crate) conflicts: LastCount,
    /// Who is told what is playing now.
    pub(crate) live: Hub<Playbacks>,
    /// What counts, and when a playback is settled.
    pub(crate) policy: Policy,
    /// How long answers hold that may change at any moment.
    pub(crate) open_ttl: Duration,
    /// How long the answer about a settled playback holds.
    pub(crate) settled_ttl: Duration,
}

impl Reader {
    pub(crate) fn new(
        read_model: Arc<ReadModel>,
        watch: Watch,
        conflicts: LastCount,
        live: Hub<Playbacks>,
        policy: Policy,
        config: &CacheConfig,
        limits: &LimitsConfig,
    ) -> Self {
        Self {
            playbacks: Loader::new(Arc::clone(&read_model), limits),
            read_model,
            cache: Cache::new(config),
            watch,
            conflicts,
            live,
            policy,
            open_ttl: config.open_ttl,
            settled_ttl: config.settled_ttl,
        }
    }
}
