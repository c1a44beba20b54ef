//! Questions for pages of playbacks.

use ess_schema::{PlaybackId, Timestamp};

use super::{
    cursor::{Fingerprint, Keyset},
    period::Period,
};

/// The conditions that playbacks meet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct PlaybackFilter {
    pub(crate) user_id: Option<String>,
    pub(crate) track_id: Option<String>,
    pub(crate) state: Option<&'static str>,
    pub(crate) period: Period,
}

/// The sort key of the list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PlaybackKey {
    pub(crate) first_event_at: Timestamp,
    pub(crate) playback_id: PlaybackId,
}

/// One page of at most `limit` playbacks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PlaybacksPage {
    pub(crate) filter: PlaybackFilter,
    pub(crate) after: Option<PlaybackKey>,
    pub(crate) limit: u16,
}

impl Keyset for PlaybackKey {
    const LIST: &'static str = "playbacks";

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.first_event_at.as_millis().to_be_bytes());
        bytes.extend(self.playback_id.as_str().as_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (time, id) = bytes.split_first_chunk()?;
        let id = std::str::from_utf8(id).ok()?;
        Some(Self {
            first_event_at: Timestamp::from_millis(i64::from_be_bytes(*time)).ok()?,
            playback_id: PlaybackId::new(id).ok()?,
        })
    }
}

impl PlaybackFilter {
    /// The list of the playbacks that meet them.
    pub(crate) fn list(&self) -> Fingerprint {
        Fingerprint::of::<PlaybackKey>([("filter", format!("{self:?}"))])
    }
}
