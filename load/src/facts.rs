//! A fact as clients write it: the request body of each HTTP shape. Never adds or drops what the fact says; read back by
//! `ess_schema::decode::decode_item`, each body is the same event again, except for what the receiver adds (the ingest time).

pub(crate) mod feed;
pub(crate) mod ledger;
pub(crate) mod shape;

use std::fmt::Write as _;

use ess_schema::event::{EventKind, RECORD_EVENT};
use ess_schema::{Event, EventData, PlaybackId, Source, TestId, Timestamp, TrackId, UserId};
use serde_json::Value;

/// The flat command that makes this event, with its id and time. Extension attributes have no place in a command and are
/// left out.
pub fn to_command(event: &Event) -> String {
    let mut body = Body::new();
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

/// The event as a CloudEvent in JSON, without the ingest time, which is the receiver's to say.
pub fn to_cloudevent(event: &Event) -> String {
    let ingest_time = format!(r#","ingesttime":"{}""#, event.ingest_time);
    // The first such text is the attribute: in a string before it, every quotation mark would be escaped.
    event.to_cloudevent().replacen(&ingest_time, "", 1)
}

/// The body that a client of the predecessor would send; none for a fact that it cannot tell: it tells whole playbacks
/// that have their event's id, in its own name.
pub fn to_untyped(event: &Event) -> Option<String> {
    let is_its_own_playback =
        event.playback_id.as_ref().map(PlaybackId::as_str) == Some(event.id.as_str());
    let is_told_in_one = matches!(event.data, EventData::Recorded(_));
    if !is_told_in_one || !is_its_own_playback || event.source != Source::command_api() {
        return None;
    }
    let mut body = Body::new();
    body.string("id", Some(event.id.as_str()));
    body.fields_of(event.content.json.as_deref());
    body.string("ingest_time", Some(&event.occurred_at.to_string()));
    body.string("test_id", event.test_id.as_ref().map(TestId::as_str));
    Some(body.close())
}

/// The body of the predecessor's load test, with a test id: what `k6/` sends as well. `{…}` stands for what changes.
pub const UNTYPED: &str = r#"{"id":"event-{test_id}-{user}-{number}","user_id":"user-{user}","track_id":"Test-case-{test_id}","ingest_time":"{time}","test_id":"{test_id}"}"#;

/// [`UNTYPED`], filled in. The test id must be such that JSON need not escape it.
pub(crate) fn untyped(test_id: &TestId, user: u16, number: usize, time: Timestamp) -> String {
    UNTYPED
        .replace("{test_id}", test_id.as_str())
        .replace("{user}", &user.to_string())
        .replace("{number}", &number.to_string())
        .replace("{time}", &time.to_string())
}

/// The id of that fact, and of its playback.
pub(crate) fn untyped_id(test_id: &TestId, user: u16, number: usize) -> String {
    format!("event-{test_id}-{user}-{number}")
}

/// A JSON object being written.
struct Body(String);

impl Body {
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

    /// Every field of a JSON object.
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
