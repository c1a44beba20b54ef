//! The OpenAPI schemas of commands: the fields of every command, and the data of its event, derived from the event's own type.

use ess_schema::{
    EventId, EventType, PlaybackId, Source, TestId, TrackId, UserId,
    event::{EventKind, RECORD_EVENT, json_schema},
    id::MAX_TYPE_CHARS,
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// The schema of every command, by name.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Value)> {
    let playback = EventKind::ALL
        .into_iter()
        .map(|kind| (kind.command_name(), command(kind)));
    playback.chain([(RECORD_EVENT, record_event())])
}

fn command(kind: EventKind) -> Value {
    let mut data = data(kind);
    let mut required = vec![json!("type")];
    let playback_id = if kind == EventKind::Recorded {
        optional_id::<PlaybackId>("Id of the playback. Default: the id of the event.")
    } else {
        required.push(json!("playback_id"));
        id::<PlaybackId>("Id of the playback: one attempt of one user to play one track.")
    };
    required.extend(data["required"].as_array().cloned().unwrap_or_default());
    let mut properties = head(kind.command_name(), &playback_id);
    if let Value::Object(fields) = data["properties"].take() {
        properties.extend(fields);
    }
    properties.extend(tail());
    json!({
        "type": "object",
        "description": data["description"],
        "required": required,
        "properties": properties,
    })
}

fn record_event() -> Value {
    let mut properties = head(
        RECORD_EVENT,
        &optional_id::<PlaybackId>("Id of the playback, if any."),
    );
    let mut put = |name: &str, schema| properties.insert(name.to_owned(), schema);
    put("event_type", event_type());
    put("user_id", optional_id::<UserId>("Id of the listener."));
    put("track_id", optional_id::<TrackId>("Id of the track."));
    put("data", content());
    put(
        "datacontenttype",
        text("Media type of the data. Default: application/json."),
    );
    put(
        "data_base64",
        text("Binary data in base64, instead of data."),
    );
    properties.extend(tail());
    json!({
        "type": "object",
        "description": "Records any other fact under a name of its own. The event is stored as sent, and can be queried.",
        "required": ["type", "event_type"],
        "properties": properties,
    })
}

fn head(name: &str, playback_id: &Value) -> Map<String, Value> {
    fields(json!({
        "type": {"type": "string", "enum": [name], "description": "Name of the command."},
        "playback_id": playback_id,
    }))
}

fn tail() -> Map<String, Value> {
    fields(json!({
        "event_id": optional_id::<EventId>("Id of the event, which makes the command safe to repeat. Default: a new id."),
        "time": {
            "type": "string", "format": "date-time", "nullable": true,
            "description": "When the fact happened. Default: now. At most 5 minutes in the future and 400 days in the past."
        },
        "source": optional_id::<Source>("Source of the event, a URI reference. Default: `ess/command-api`."),
        "test_id": optional_id::<TestId>("Id of the test run that the event belongs to."),
        "traceparent": text("W3C Trace Context."),
        "tracestate": text("W3C Trace Context."),
    }))
}

fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The schema of the name of a custom event.
pub(super) fn event_type() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": MAX_TYPE_CHARS,
        "pattern": "^[A-Za-z][A-Za-z0-9._-]*$", "description": format!("Name of the event: {}.", EventType::ALLOWED)
    })
}

/// The schema of free data.
pub(super) fn content() -> Value {
    json!({"description": "Any JSON value of at most 32 KiB."})
}

/// The schema of an optional string.
pub(super) fn text(description: &str) -> Value {
    json!({"type": "string", "nullable": true, "description": description})
}

/// The schema of a required id of type `T`.
pub(super) fn id<T: JsonSchema>(description: &str) -> Value {
    let mut schema = of::<T>();
    schema["title"] = Value::Null;
    schema["description"] = description.into();
    schema
}

/// The schema of an id that may be missing or null.
pub(super) fn optional_id<T: JsonSchema>(description: &str) -> Value {
    let mut schema = id::<T>(description);
    schema["nullable"] = true.into();
    schema
}

fn data(kind: EventKind) -> Value {
    kind.json_schema(SchemaSettings::openapi3()).into()
}

fn of<T: JsonSchema>() -> Value {
    json_schema::<T>(SchemaSettings::openapi3()).into()
}
