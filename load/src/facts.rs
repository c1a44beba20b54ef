//! The request body of a fact in each format that the command-api accepts. `ess_schema::decode::decode_item` makes the same event
//! of each body, except for the ingest time, which the receiver adds.

pub(crate) mod feed;
pub(crate) mod ledger;
mod shape;
pub(crate) mod source;

use std::fmt::Write as _;

use ess_schema::event::{EventKind, RECORD_EVENT};
use ess_schema::{Event, EventData, PlaybackId, Source, TestId, Timestamp, TrackId, UserId};
use serde_json::Value;

/// The flat command that makes this event, with its id and time. A command has no extension attributes; they are omitted.
pub fn to_command(event: &Event) -> String {
    let mut body = JsonObject::new();
    let name = event
        .data
        .kind()
        .map_or(RECORD_EVENT, EventKind::command_name);
    body.string("type", Some(name));
    body.string(
        "playback_id",
        event.playback_id.as_ref().map(PlaybackId::as_str),
    );
    body.string("event_id", Some(event.id.as_str()));
    if event.source != Source::command_api() {
        body.string("source", Some(event.source.as_str()));
    }
    body.string("time", Some(&event.occurred_at.to_string()));
    body.string("test_id", event.test_id.as_ref().map(TestId::as_str));
    let content = &event.content;
    if let EventData::Custom(custom) = &event.data {
        body.string("event_type", Some(custom.name.as_str()));
        body.string("user_id", custom.user_id.as_ref().map(UserId::as_str));
        body.string("track_id", custom.track_id.as_ref().map(TrackId::as_str));
        body.string("datacontenttype", content.datacontenttype.as_deref());
        body.raw("data", content.json.as_deref());
        body.string("data_base64", content.base64.as_deref());
    } else {
        body.fields_of(content.json.as_deref());
    }
    body.close()
}

/// The event as a CloudEvent in JSON, without the ingest time, which the receiver adds.
pub fn to_cloudevent(event: &Event) -> String {
    let ingest_time = format!(r#","ingesttime":"{}""#, event.ingest_time);
    // The first match is the attribute: within a string before it, every quotation mark is escaped.
    event.to_cloudevent().replacen(&ingest_time, "", 1)
}

/// The body that a client of the predecessor would send. None for an event that has no such body: these clients send one event per
/// playback, with the id of the playback and the default source.
pub fn to_untyped(event: &Event) -> Option<String> {
    let is_its_own_playback =
        event.playback_id.as_ref().map(PlaybackId::as_str) == Some(event.id.as_str());
    let is_complete_playback = matches!(event.data, EventData::Recorded(_));
    if !is_complete_playback || !is_its_own_playback || event.source != Source::command_api() {
        return None;
    }
    let mut body = JsonObject::new();
    body.string("id", Some(event.id.as_str()));
    body.fields_of(event.content.json.as_deref());
    body.string("ingest_time", Some(&event.occurred_at.to_string()));
    body.string("test_id", event.test_id.as_ref().map(TestId::as_str));
    Some(body.close())
}

/// The body of the predecessor's load test, with a test id; `k6/` sends the same. The names in braces are placeholders.
pub const UNTYPED: &str = r#"{"id":"event-{test_id}-{user}-{number}","user_id":"user-{user}","track_id":"Test-case-{test_id}","ingest_time":"{time}","test_id":"{test_id}"}"#;

/// [`UNTYPED`] with values. The test id must need no escaping in JSON.
pub(crate) fn untyped(test_id: &TestId, user: u16, number: usize, time: Timestamp) -> String {
    UNTYPED
        .replace("{test_id}", test_id.as_str())
        .replace("{user}", &user.to_string())
        .replace("{number}", &number.to_string())
        .replace("{time}", &time.to_string())
}

/// The id of that event, and of its playback.
pub(crate) fn untyped_id(test_id: &TestId, user: u16, number: usize) -> String {
    format!("event-{test_id}-{user}-{number}")
}

/// Writes a JSON object.
struct JsonObject(String);

impl JsonObject {
    fn new() -> Self {
        let mut text = String::with_capacity(384);
        text.push('{');
        Self(text)
    }

    fn string(&mut self, name: &str, value: Option<&str>) {
        let quoted = value.map(|text| Value::from(text).to_string());
        self.raw(name, quoted.as_deref());
    }

    fn raw(&mut self, name: &str, json: Option<&str>) {
        if let Some(json) = json {
            self.separate();
            // Writing to a string cannot fail.
            let _ = write!(self.0, "\"{name}\":{json}");
        }
    }

    /// Adds every field of a JSON object.
    fn fields_of(&mut self, object: Option<&str>) {
        let inner = object.unwrap_or_default().trim();
        let inner = inner
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        let inner = inner.unwrap_or_default().trim();
        if !inner.is_empty() {
            self.separate();
            self.0.push_str(inner);
        }
    }

    fn separate(&mut self) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
    }

    fn close(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
