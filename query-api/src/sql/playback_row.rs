//! The values of a playback: integers, times and texts. `ess_schema` derives ratios and states from them.

use clickhouse::Row;
use ess_schema::{
    PlaybackId, Timestamp,
    event::{EndReason, PlayState},
    id::InvalidId,
    playback::{Aggregate, Dimensions, Ending},
    time::InvalidTime,
};
use serde::Deserialize;

use super::InvalidRow;

/// The values of one playback. An empty text is unknown.
#[derive(Debug, Clone, Row, Deserialize)]
#[cfg_attr(test, derive(Default))]
pub(crate) struct PlaybackRow {
    pub(super) playback_id: String,
    pub(super) user_id: String,
    pub(super) track_id: String,
    pub(super) device: String,
    pub(super) platform: String,
    pub(super) app_version: String,
    pub(super) country: String,
    pub(super) plan: String,
    pub(super) context: String,
    pub(super) test_id: String,
    pub(super) startup_ms: Option<u64>,
    pub(super) started_at: Option<i64>,
    pub(super) first_event_at: i64,
    pub(super) last_event_at: i64,
    pub(super) ended_at: i64,
    pub(super) end_reason: String,
    pub(super) played_ms: u64,
    pub(super) unique_ms: u64,
    pub(super) max_position_ms: Option<u64>,
    pub(super) track_duration_ms: Option<u64>,
    pub(super) paused_ms: u64,
    pub(super) stalled_ms: u64,
    pub(super) pause_count: u64,
    pub(super) stall_count: u64,
    pub(super) seek_count: u64,
    pub(super) failure_count: u64,
    pub(super) event_count: u64,
    pub(super) max_seq: Option<u32>,
    pub(super) distinct_seqs: u64,
    pub(super) state: String,
    pub(super) ingest_to_store_ms: i64,
}

impl PlaybackRow {
    /// The id of the playback.
    pub(crate) fn playback_id(&self) -> &str {
        &self.playback_id
    }

    #[cfg(test)]
    pub(crate) fn named(playback_id: String) -> Self {
        Self {
            playback_id,
            ..Self::default()
        }
    }

    /// The folded values.
    ///
    /// # Errors
    /// When the row contains a value that no event can have caused.
    pub(crate) fn aggregate(self) -> Result<Aggregate, InvalidRow> {
        let Self {
            playback_id,
            user_id,
            track_id,
            device,
            platform,
            app_version,
            country,
            plan,
            context,
            test_id,
            startup_ms,
            started_at,
            first_event_at,
            last_event_at,
            ended_at,
            end_reason,
            played_ms,
            unique_ms,
            max_position_ms,
            track_duration_ms,
            paused_ms,
            stalled_ms,
            pause_count,
            stall_count,
            seek_count,
            failure_count,
            event_count,
            max_seq,
            distinct_seqs,
            state,
            ingest_to_store_ms,
        } = self;
        Ok(Aggregate {
            playback_id: PlaybackId::new(playback_id)?,
            dimensions: Dimensions {
                user_id: id(user_id)?,
                track_id: id(track_id)?,
                device: given(device),
                platform: given(platform),
                app_version: given(app_version),
                country: given(country),
                plan: given(plan),
                context: given(context),
                test_id: id(test_id)?,
                startup_ms,
            },
            started_at: started_at.map(Timestamp::from_millis).transpose()?,
            first_event_at: Timestamp::from_millis(first_event_at)?,
            last_event_at: Timestamp::from_millis(last_event_at)?,
            ending: ending(ended_at, &end_reason)?,
            played_ms,
            unique_ms,
            max_position_ms,
            track_duration_ms,
            paused_ms,
            stalled_ms,
            pause_count,
            stall_count,
            seek_count,
            failure_count,
            event_count,
            max_seq,
            distinct_seqs,
            state: PlayState::from_name(&state),
            ingest_to_store_ms: Some(ingest_to_store_ms),
        })
    }
}

fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn id<T: TryFrom<String, Error = InvalidId>>(text: String) -> Result<Option<T>, InvalidId> {
    given(text).map(T::try_from).transpose()
}

/// The end. A playback without one has the time 0 and no reason.
fn ending(at: i64, reason: &str) -> Result<Option<Ending>, InvalidTime> {
    EndReason::from_name(reason)
        .map(|reason| {
            Ok(Ending {
                at: Timestamp::from_millis(at)?,
                reason,
            })
        })
        .transpose()
}
