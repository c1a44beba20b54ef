//! The schemas of commands: what surrounds every command, and within it the data of its event, from the event's own type.

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
        optional_id::<PlaybackId>("The playback: the event's id unless given.")
    } else {
        required.push(json!("playback_id"));
        id::<PlaybackId>("The playback: one attempt of one user to play one track.")
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
        &optional_id::<PlaybackId>("The playback, if any."),
    );
    let mut put = |name: &str, schema| properties.insert(name.to_owned(), schema);
    put("event_type", event_type());
    put("user_id", optional_id::<UserId>("The listener."));
    put("track_id", optional_id::<TrackId>("The track."));
    put("data", content());
    put(
        "datacontenttype",
        text("Media type of the data; application/json unless given."),
    );
    put(
        "data_base64",
        text("Binary data in base64, in place of data."),
    );
    properties.extend(tail());
    json!({
        "type": "object",
        "description": "Anything else happened: the fact under a name of its own, kept raw and queryable.",
        "required": ["type", "event_type"],
        "properties": properties,
    })
}

fn head(name: &str, playback_id: &Value) -> Map<String, Value> {
    fields(json!({
        "type": {"type": "string", "enum": [name], "description": "The command."},
        "playback_id": playback_id,
    }))
}

fn tail() -> Map<String, Value> {
    fields(json!({
        "event_id": optional_id::<EventId>("Makes repeating it harmless; one is made unless given."),
        "time": {
            "type": "string", "format": "date-time", "nullable": true,
            "description": "When it happened; now unless given. At most 5 minutes ahead and 400 days behind."
        },
        "source": optional_id::<Source>("Who says so, a URI reference; `ess/command-api` unless given."),
        "test_id": optional_id::<TestId>("The test run it belongs to."),
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

/// The name of a fact that is none of ESS's own.
pub(super) fn event_type() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": MAX_TYPE_CHARS,
        "pattern": "^[A-Za-z][A-Za-z0-9._-]*$", "description": format!("Its name: {}.", EventType::ALLOWED)
    })
}

/// Free data.
pub(super) fn content() -> Value {
    json!({"description": "Any JSON, at most 32 KiB."})
}

pub(super) fn text(description: &str) -> Value {
    json!({"type": "string", "nullable": true, "description": description})
}

/// An identifier of type `T` that must be there.
pub(super) fn id<T: JsonSchema>(description: &str) -> Value {
    let mut schema = of::<T>();
    schema["title"] = Value::Null;
    schema["description"] = description.into();
    schema
}

/// One that may be left out, or null.
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
