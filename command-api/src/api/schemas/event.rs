//! The schemas of events that are no commands: CloudEvents, flat JSON, the predecessor's untyped body.

use ess_schema::{
    EventId, PlaybackId, Source, TestId, TrackId, UserId,
    event::{CURRENT_VERSION, EventKind},
};
use serde_json::{Value, json};

use super::command::{content, event_type, id, optional_id, text};

pub(super) const CLOUD_EVENT: &str = "CloudEvent";
pub(super) const FLAT_EVENT: &str = "FlatEvent";
pub(super) const UNTYPED_EVENT: &str = "UntypedEvent";

/// The schema of every shape, by name.
pub(super) fn all() -> [(&'static str, Value); 3] {
    [
        (CLOUD_EVENT, cloud_event()),
        (FLAT_EVENT, flat_event()),
        (UNTYPED_EVENT, untyped_event()),
    ]
}

fn cloud_event() -> Value {
    let description = format!(
        "A CloudEvent 1.0 in JSON. Of the types {}, `data` has the fields of the command for it, and `subject` is the \
         playback; of any other type, `data` is free. Attributes not named here are kept.",
        event_names()
    );
    json!({
        "type": "object",
        "description": description,
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"type": "string", "enum": ["1.0"]},
            "id": id::<EventId>("Unique within the source; makes repeating it harmless."),
            "source": id::<Source>("Who says so, a URI reference."),
            "type": event_type(),
            "subject": text("The playback."),
            "time": time("When it happened; now unless given."),
            "datacontenttype": text("Media type of the data; application/json unless given."),
            "schemaversion": version(),
            "testid": optional_id::<TestId>("The test run it belongs to."),
            "userid": optional_id::<UserId>("The listener of an event whose data is free."),
            "trackid": optional_id::<TrackId>("The track of an event whose data is free."),
            "data": content(),
            "data_base64": text("Binary data in base64, in place of data."),
        },
        // Extension attributes (CloudEvents 1.0, section 3.1) are of simple types.
        "additionalProperties": {"nullable": true, "anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]},
    })
}

/// Of an event that is named in the document only known versions are taken, of any other name every one.
fn version() -> Value {
    json!({
        "description": format!("Version of the data, {CURRENT_VERSION} unless given: of an event that is named here up to {CURRENT_VERSION}."),
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": u16::MAX},
            {"type": "string", "pattern": "^[0-9]{1,4}$", "description": "Its digits, as binary mode sends it."},
        ],
    })
}

fn flat_event() -> Value {
    let description = format!(
        "Flat JSON that names its event: of {} with the fields of the command for it, or of any other name.",
        event_names()
    );
    json!({
        "type": "object",
        "description": description,
        "required": ["event_type"],
        "properties": {
            "event_type": event_type(),
            "schema_version": version(),
            "event_id": optional_id::<EventId>("Makes repeating it harmless; one is made unless given."),
            "playback_id": optional_id::<PlaybackId>("The playback."),
            "user_id": optional_id::<UserId>("The listener."),
            "track_id": optional_id::<TrackId>("The track."),
            "time": time("When it happened; now unless given."),
            "source": optional_id::<Source>("Who says so, a URI reference."),
            "test_id": optional_id::<TestId>("The test run it belongs to."),
        },
    })
}

fn untyped_event() -> Value {
    json!({
        "type": "object",
        "description": "What the predecessor of this service took: a whole playback told after the fact.",
        "required": ["id", "user_id", "track_id"],
        "properties": {
            "id": id::<EventId>("The event, and the playback."),
            "user_id": id::<UserId>("The listener."),
            "track_id": id::<TrackId>("The track."),
            "ingest_time": {
                "description": "When it happened: ISO 8601 with or without zone (none means UTC), or Unix seconds or milliseconds; now unless given.",
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
