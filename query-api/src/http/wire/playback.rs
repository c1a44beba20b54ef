//! The JSON of one playback, a flat object. `ess_schema::playback` defines what its fields mean.

use ess_schema::{
    PlaybackId, TestId, Timestamp, TrackId, UserId,
    event::EndReason,
    playback::{self, Aggregate, Dimensions, Ending},
};
use poem_openapi::registry::MetaSchema;
use serde::Serialize;

use super::{Described, described::document};

/// `playing`, `paused`, `finished`, `failed`, or `abandoned`.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct PlaybackState(&'static str);

impl Described for PlaybackState {
    fn schema() -> MetaSchema {
        let states = ["playing", "paused", "finished", "failed", "abandoned"];
        MetaSchema {
            enum_items: states.map(Into::into).to_vec(),
            ..MetaSchema::new("string")
        }
    }
}

document! {
    /// One attempt of one user to play one track, computed from its distinct events. Durations and media positions are in ms; a
    /// value that no event has is null.
    pub(crate) struct Playback {
        /// The playback.
        pub(crate) playback_id: PlaybackId,
        /// The user, from the earliest event that has it.
        pub(crate) user_id: Option<UserId>,
        /// The track, from the earliest event that has it.
        pub(crate) track_id: Option<TrackId>,
        /// The device, from the earliest event that has it.
        pub(crate) device: Option<String>,
        /// The platform, from the earliest event that has it.
        pub(crate) platform: Option<String>,
        /// The player's version, from the earliest event that has it.
        pub(crate) app_version: Option<String>,
        /// ISO 3166-1 alpha-2, from the earliest event that has it.
        pub(crate) country: Option<String>,
        /// The user's plan, from the earliest event that has it.
        pub(crate) plan: Option<String>,
        /// The context that it was started from, from the earliest event that has it.
        pub(crate) context: Option<String>,
        /// The test run, from the earliest event that has it.
        pub(crate) test_id: Option<TestId>,
        /// From the user's action to the first sound, from the earliest event that has it.
        pub(crate) startup_ms: Option<u64>,
        /// The time of the earliest PlaybackStarted or PlaybackRecorded.
        pub(crate) started_at: Option<Timestamp>,
        /// The time of the earliest event.
        pub(crate) first_event_at: Timestamp,
        /// The time of the latest event.
        pub(crate) last_event_at: Timestamp,
        /// The time of the latest PlaybackFinished.
        pub(crate) ended_at: Option<Timestamp>,
        /// The reason of the latest PlaybackFinished.
        pub(crate) end_reason: Option<EndReason>,
        /// Listening time.
        pub(crate) played_ms: u64,
        /// Length of the media played; parts played more than once count once.
        pub(crate) unique_ms: u64,
        /// The furthest media position.
        pub(crate) max_position_ms: Option<u64>,
        /// The track's length.
        pub(crate) track_duration_ms: Option<u64>,
        /// unique_ms ÷ track_duration_ms, at most 1.
        pub(crate) coverage: Option<f64>,
        /// Which of 25, 50, 75 and 95 percent of the track were reached.
        pub(crate) quartiles: Vec<u8>,
        /// Time spent in pauses.
        pub(crate) paused_ms: u64,
        /// Time spent rebuffering.
        pub(crate) stalled_ms: u64,
        /// Pauses.
        pub(crate) pause_count: u64,
        /// Rebufferings.
        pub(crate) stall_count: u64,
        /// Seeks.
        pub(crate) seek_count: u64,
        /// Failures, fatal or not.
        pub(crate) failure_count: u64,
        /// stalled_ms ÷ (played_ms + stalled_ms).
        pub(crate) rebuffer_ratio: Option<f64>,
        /// Whether the playback ended as completed or reached at least 95 percent of the track.
        pub(crate) completed: bool,
        /// Whether the listening time counts as a stream.
        pub(crate) counted_stream: bool,
        /// Distinct events.
        pub(crate) event_count: u64,
        /// Events that the player numbered but that did not arrive.
        pub(crate) lost_events: Option<u64>,
        /// The state after the latest event; abandoned when it did not end and no event has arrived for long.
        pub(crate) state: Option<PlaybackState>,
        /// From the acceptance of the last event to its storage.
        pub(crate) ingest_to_store_ms: Option<i64>,
    }
}

impl From<playback::Playback> for Playback {
    fn from(playback: playback::Playback) -> Self {
        let playback::Playback {
            aggregate,
            coverage,
            quartiles,
            rebuffer_ratio,
            completed,
            counted_stream,
            lost_events,
            state,
            settled: _,
        } = playback;
        let Aggregate {
            playback_id,
            dimensions,
            started_at,
            first_event_at,
            last_event_at,
            ending,
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
            max_seq: _,
            distinct_seqs: _,
            state: _,
            ingest_to_store_ms,
        } = aggregate;
        let Dimensions {
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
        } = dimensions;
        let (ended_at, end_reason) = ending.map(|Ending { at, reason }| (at, reason)).unzip();
        Self {
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
            coverage,
            quartiles,
            paused_ms,
            stalled_ms,
            pause_count,
            stall_count,
            seek_count,
            failure_count,
            rebuffer_ratio,
            completed,
            counted_stream,
            event_count,
            lost_events,
            state: state.map(PlaybackState),
            ingest_to_store_ms,
        }
    }
}

impl Playback {
    /// The example in the document.
    fn example() -> serde_json::Value {
        serde_json::json!({
            "playback_id": "playback-42", "user_id": "user-7", "track_id": "track-3",
            "device": "phone", "platform": "ios", "app_version": "7.4.1", "country": "DE", "plan": "premium",
            "context": "playlist:morning", "test_id": null, "startup_ms": 412,
            "started_at": "2026-11-23T10:00:00.000Z", "first_event_at": "2026-11-23T10:00:00.000Z",
            "last_event_at": "2026-11-23T10:03:12.480Z", "ended_at": "2026-11-23T10:03:12.480Z",
            "end_reason": "completed", "played_ms": 180_000, "unique_ms": 180_000, "max_position_ms": 180_000,
            "track_duration_ms": 180_000, "coverage": 1.0, "quartiles": [25, 50, 75, 95],
            "paused_ms": 10_400, "stalled_ms": 640, "pause_count": 1, "stall_count": 1, "seek_count": 0,
            "failure_count": 0, "rebuffer_ratio": 0.003_542_958_370_239_149, "completed": true,
            "counted_stream": true, "event_count": 23, "lost_events": 0, "state": "finished",
            "ingest_to_store_ms": 87
        })
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::registry::MetaSchema;

    use super::*;

    #[test]
    fn the_example_has_the_fields_of_the_schema_and_no_others() {
        let MetaSchema {
            properties,
            required,
            example,
            ..
        } = Playback::schema();
        let names: Vec<_> = properties.iter().map(|(name, _)| *name).collect();
        let example = example.unwrap();
        let names_of_example: Vec<_> = example
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(names_of_example, names);
        assert_eq!(required, names);
    }
}
