//! The schemas of the answers about one track and one user: every metric of a report, and the times of the first and last event.

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};

use super::{Described, described::Named, report_row::metrics};

/// Names the schema of a track.
pub(crate) struct Track;

/// Names the schema of a user.
pub(crate) struct User;

type Property = (&'static str, MetaSchemaRef);

fn text(name: &'static str, format: Option<&'static str>, about: &'static str) -> Property {
    let schema = match format {
        Some(format) => MetaSchema::new_with_format("string", format),
        None => MetaSchema::new("string"),
    };
    let schema = MetaSchema {
        description: Some(about),
        ..schema
    };
    (name, MetaSchemaRef::Inline(Box::new(schema)))
}

fn schema(about: &'static str, own: Vec<Property>, example: serde_json::Value) -> MetaSchema {
    let times = [
        text(
            "first_event_at",
            Some("date-time"),
            "The earliest event of all its playbacks, of any period.",
        ),
        text(
            "last_event_at",
            Some("date-time"),
            "The latest event of all its playbacks, of any period.",
        ),
    ];
    let properties: Vec<_> = own.into_iter().chain(times).chain(metrics()).collect();
    MetaSchema {
        description: Some(about),
        required: properties.iter().map(|(name, _)| *name).collect(),
        properties,
        example: Some(example),
        ..MetaSchema::new("object")
    }
}

impl Described for Track {
    fn schema() -> MetaSchema {
        schema(
            "Every metric of GET /stats/report over the track's playbacks that began in the period.",
            vec![text("track_id", None, "The track.")],
            serde_json::json!({
                "track_id": "track-3", "first_event_at": "2026-11-02T07:14:55.020Z",
                "last_event_at": "2026-11-23T10:03:12.480Z", "attempts": 1_310, "plays": 1_204, "streams": 1_002,
                "played_ms": 118_246_646, "unique_listeners": 871, "avg_played_ms": 98_211.5,
                "median_played_ms": 112_040.0, "completion_rate": 0.61, "skip_rate": 0.12, "failure_rate": 0.004,
                "rebuffer_ratio": 0.002, "stalled_ms": 236_967, "startup_ms_p50": 402.0, "startup_ms_p95": 1_204.5,
                "peak_concurrent": 17
            }),
        )
    }
}

impl Named for Track {
    const NAME: &'static str = "Track";
}

impl Described for User {
    fn schema() -> MetaSchema {
        let tracks = MetaSchema {
            description: Some("Distinct tracks of the plays."),
            minimum: Some(0.0),
            ..MetaSchema::new_with_format("integer", "int64")
        };
        schema(
            "Every metric of GET /stats/report over the user's playbacks that began in the period.",
            vec![
                text("user_id", None, "The user."),
                ("tracks", MetaSchemaRef::Inline(Box::new(tracks))),
            ],
            serde_json::json!({
                "user_id": "user-7", "first_event_at": "2026-11-02T07:14:55.020Z",
                "last_event_at": "2026-11-23T10:03:12.480Z", "tracks": 31, "attempts": 44, "plays": 41, "streams": 35,
                "played_ms": 5_204_117, "unique_listeners": 1, "avg_played_ms": 126_929.7,
                "median_played_ms": 131_400.0, "completion_rate": 0.71, "skip_rate": 0.09, "failure_rate": 0.0,
                "rebuffer_ratio": 0.001, "stalled_ms": 5_209, "startup_ms_p50": 390.0, "startup_ms_p95": 917.2,
                "peak_concurrent": 1
            }),
        )
    }
}

impl Named for User {
    const NAME: &'static str = "Listener";
}
