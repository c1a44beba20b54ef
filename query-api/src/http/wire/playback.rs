//! One playback as it is answered: a flat object. What its fields mean is `ess_schema::playback`'s to say.

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
pub(crate) struct State(&'static str);

impl Described for State {
    fn schema() -> MetaSchema {
        let states = ["playing", "paused", "finished", "failed", "abandoned"];
        MetaSchema {
            enum_items: states.map(Into::into).to_vec(),
            ..MetaSchema::new("string")
        }
    }
}

document! {
    /// One attempt of one user to play one track, made of its distinct events. Durations and media positions are in ms; what no
    /// event told is null.
    pub(crate) struct Playback {
        /// The playback.
        pub(crate) playback_id: PlaybackId,
        /// The listener, as of the earliest event that tells.
        pub(crate) user_id: Option<UserId>,
        /// The track, as of the earliest event that tells.
        pub(crate) track_id: Option<TrackId>,
        /// The device, as of the earliest event that tells.
        pub(crate) device: Option<String>,
        /// The platform, as of the earliest event that tells.
        pub(crate) platform: Option<String>,
        /// The player's version, as of the earliest event that tells.
        pub(crate) app_version: Option<String>,
        /// ISO 3166-1 alpha-2, as of the earliest event that tells.
        pub(crate) country: Option<String>,
        /// The listener's plan, as of the earliest event that tells.
        pub(crate) plan: Option<String>,
        /// Where it was started from, as of the earliest event that tells.
        pub(crate) context: Option<String>,
        /// The test run, as of the earliest event that tells.
        pub(crate) test_id: Option<TestId>,
        /// From the listener's wish to the first sound, as of the earliest event that tells.
        pub(crate) startup_ms: Option<u64>,
        /// The earliest PlaybackStarted or PlaybackRecorded.
        pub(crate) started_at: Option<Timestamp>,
        /// The earliest event.
        pub(crate) first_event_at: Timestamp,
        /// The latest event.
        pub(crate) last_event_at: Timestamp,
        /// The latest PlaybackFinished.
        pub(crate) ended_at: Option<Timestamp>,
        /// The reason of the latest PlaybackFinished.
        pub(crate) end_reason: Option<EndReason>,
        /// Listening time.
        pub(crate) played_ms: u64,
        /// Length of the media played, what was played twice counted once.
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
        /// Ended as completed, or at least 95 percent of the track reached.
        pub(crate) completed: bool,
        /// Listened to long enough to count as a stream.
        pub(crate) counted_stream: bool,
        /// Distinct events.
        pub(crate) event_count: u64,
        /// Events that the player numbered and that never arrived.
        pub(crate) lost_events: Option<u64>,
        /// The state that the latest event left it in; abandoned when silent for long without an end.
        pub(crate) state: Option<State>,
        /// From accepting the last event to storing it.
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
            state: state.map(State),
            ingest_to_store_ms,
        }
    }
}

impl Playback {
    /// A playback as it may be answered, for the document.
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
        let given: Vec<_> = example
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(given, names);
        assert_eq!(required, names);
    }
}
