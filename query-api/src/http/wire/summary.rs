//! The schemas of the answers about one track and one user: every metric of a report, and the times of the first and last event.

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use serde_json::Value;

use super::{
    Described,
    described::Named,
    report_row::{metrics, value},
};
use crate::question::{Attribute, Metric};

/// Names the schema of a track.
pub(crate) struct Track;

/// Names the schema of a user.
pub(crate) struct User;

/// A property with its example.
type Property = (&'static str, MetaSchema, Value);

fn text(name: &'static str, about: &'static str, example: &str) -> Property {
    let schema = MetaSchema {
        description: Some(about),
        ..MetaSchema::new("string")
    };
    (name, schema, example.into())
}

fn time(name: &'static str, about: &'static str, example: &str) -> Property {
    let schema = MetaSchema {
        description: Some(about),
        ..MetaSchema::new_with_format("string", "date-time")
    };
    (name, schema, example.into())
}

/// The schema of the properties that a summary has alone, the times, and the metrics.
fn schema(
    about: &'static str,
    own: impl IntoIterator<Item = Property>,
    example_of: impl Fn(Metric) -> f64,
) -> MetaSchema {
    let times = [
        time(
            "first_event_at",
            "The earliest event of all its playbacks, of any period.",
            "2026-11-02T07:14:55.020Z",
        ),
        time(
            "last_event_at",
            "The latest event of all its playbacks, of any period.",
            "2026-11-23T10:03:12.480Z",
        ),
    ];
    let mut example = serde_json::Map::new();
    let mut properties = Vec::new();
    for (name, schema, of) in own.into_iter().chain(times) {
        properties.push((name, MetaSchemaRef::Inline(Box::new(schema))));
        example.insert(name.to_owned(), of);
    }
    properties.extend(metrics());
    let of_metrics = Metric::ALL.into_iter();
    example.extend(of_metrics.map(|of| (of.name().to_owned(), value(of, example_of(of)))));
    MetaSchema {
        description: Some(about),
        required: properties.iter().map(|(name, _)| *name).collect(),
        properties,
        example: Some(Value::Object(example)),
        ..MetaSchema::new("object")
    }
}

impl Described for Track {
    fn schema() -> MetaSchema {
        let track = Attribute::Track.declaration();
        schema(
            "Every metric of GET /stats/report over the track's playbacks that began in the period.",
            [text(track.column, "The track.", track.example)],
            |metric| metric.declaration().example,
        )
    }
}

impl Named for Track {
    const NAME: &'static str = "Track";
}

impl Described for User {
    fn schema() -> MetaSchema {
        let user = Attribute::User.declaration();
        let tracks = MetaSchema {
            description: Some("Distinct tracks of the plays."),
            minimum: Some(0.0),
            ..MetaSchema::new_with_format("integer", "int64")
        };
        schema(
            "Every metric of GET /stats/report over the user's playbacks that began in the period.",
            [
                text(user.column, "The user.", user.example),
                ("tracks", tracks, 31.into()),
            ],
            |metric| metric.declaration().listener_example,
        )
    }
}

impl Named for User {
    const NAME: &'static str = "Listener";
}
