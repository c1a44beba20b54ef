//! The OpenAPI schemas of events that are not commands: CloudEvents, flat JSON, and the predecessor's untyped body.

use ess_schema::{
    EventId, PlaybackId, Source, TestId, TrackId, UserId,
    event::{CURRENT_VERSION, EventKind},
};
use serde_json::{Value, json};

use super::command::{content, event_type, id, optional_id, text};

pub(super) const CLOUD_EVENT: &str = "CloudEvent";
pub(super) const FLAT_EVENT: &str = "FlatEvent";
pub(super) const UNTYPED_EVENT: &str = "UntypedEvent";

/// The schema of each shape, by name.
pub(super) fn all() -> [(&'static str, Value); 3] {
    [
        (CLOUD_EVENT, cloud_event()),
        (FLAT_EVENT, flat_event()),
        (UNTYPED_EVENT, untyped_event()),
    ]
}

fn cloud_event() -> Value {
    let description = format!(
        "A CloudEvent 1.0 in JSON. For the types {}, `data` has the fields of the corresponding command, and `subject` is the id \
         of the playback. For any other type, `data` is free. Other attributes are stored.",
        event_names()
    );
    json!({
        "type": "object",
        "description": description,
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"type": "string", "enum": ["1.0"]},
            "id": id::<EventId>("Id of the event, unique within the source. Makes the event safe to repeat."),
            "source": id::<Source>("Source of the event, a URI reference."),
            "type": event_type(),
            "subject": text("Id of the playback."),
            "time": time("When the event happened. Default: now."),
            "datacontenttype": text("Media type of the data. Default: application/json."),
            "schemaversion": version(),
            "testid": optional_id::<TestId>("Id of the test run that the event belongs to."),
            "userid": optional_id::<UserId>("Id of the listener, for an event with free data."),
            "trackid": optional_id::<TrackId>("Id of the track, for an event with free data."),
            "data": content(),
            "data_base64": text("Binary data in base64, instead of data."),
        },
        // Extension attributes have simple types (CloudEvents 1.0, section 3.1).
        "additionalProperties": {"nullable": true, "anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]},
    })
}

/// The schema of a data version. Playback events accept only known versions, custom events any version.
fn version() -> Value {
    json!({
        "description": format!("Version of the data. Default: {CURRENT_VERSION}, which is also the maximum for the event types of ESS."),
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": u16::MAX},
            {"type": "string", "pattern": "^[0-9]{1,4}$", "description": "The digits of the version, as sent in binary mode."},
        ],
    })
}

fn flat_event() -> Value {
    let description = format!(
        "Flat JSON with the name of its event: one of {}, with the fields of the corresponding command, or any other name.",
        event_names()
    );
    json!({
        "type": "object",
        "description": description,
        "required": ["event_type"],
        "properties": {
            "event_type": event_type(),
            "schema_version": version(),
            "event_id": optional_id::<EventId>("Id of the event, which makes it safe to repeat. Default: a new id."),
            "playback_id": optional_id::<PlaybackId>("Id of the playback."),
            "user_id": optional_id::<UserId>("Id of the listener."),
            "track_id": optional_id::<TrackId>("Id of the track."),
            "time": time("When the event happened. Default: now."),
            "source": optional_id::<Source>("Source of the event, a URI reference."),
            "test_id": optional_id::<TestId>("Id of the test run that the event belongs to."),
        },
    })
}

fn untyped_event() -> Value {
    json!({
        "type": "object",
        "description": "The event format of the predecessor: a complete playback, reported after the fact.",
        "required": ["id", "user_id", "track_id"],
        "properties": {
            "id": id::<EventId>("Id of the event and of the playback."),
            "user_id": id::<UserId>("Id of the listener."),
            "track_id": id::<TrackId>("Id of the track."),
            "ingest_time": {
                "description": "When the playback happened: ISO 8601 (UTC if it has no zone), or Unix time in seconds or milliseconds. Default: now.",
                "nullable": true,
                "anyOf": [{"type": "string"}, {"type": "number"}],
            },
            "store_time": {"nullable": true, "description": "Ignored."},
        },
    })
}

fn time(description: &str) -> Value {
    json!({"type": "string", "format": "date-time", "nullable": true, "description": description})
}

fn event_names() -> String {
    EventKind::ALL.map(EventKind::event_name).join(", ")
}
