//! POST /commands and POST /events on a real broker: what a 2xx promises, and what an error promises. The shapes of
//! answers are tested beside the code that makes them.

mod acknowledged;
mod broker;
mod clients;
mod compressed;
mod limits;
mod log_away;
mod overload;
mod partial;
mod repeated;
mod sdks;

use ess_e2e::{Answer, Builder, Record, TestApp};
use ess_schema::Position;
use serde_json::{Value, json};

/// An ESS of which only the command-api matters.
fn command_api_alone() -> Builder {
    TestApp::builder().without_projector().without_query_api()
}

/// A command that is in order.
fn progress(event_id: &str) -> Value {
    json!({
        "type": "ReportProgress", "event_id": event_id, "playback_id": format!("of-{event_id}"),
        "user_id": "u", "track_id": "t", "from_ms": 0, "to_ms": 10_000,
    })
}

/// Id and position of every item that an answer says is appended.
fn appended(answer: &Answer) -> Vec<(String, Position)> {
    let json = answer.json();
    let items = json["items"].as_array().cloned();
    let items = items.unwrap_or_else(|| vec![json]).into_iter();
    let each = items.filter_map(|item| {
        let position = item["position"].as_str()?.parse().ok()?;
        Some((item["event_id"].as_str()?.to_owned(), position))
    });
    each.collect()
}

/// The event in a record.
fn event(record: &Record) -> Value {
    serde_json::from_slice(record.payload.as_deref().unwrap()).unwrap()
}

/// Each of these events lies where it was said to lie.
fn assert_lie_there(records: &[Record], appended: &[(String, Position)]) {
    for (id, position) in appended {
        let record = records.iter().find(|record| record.position == *position);
        let record = record.unwrap_or_else(|| panic!("nothing lies at {position}"));
        assert_eq!(event(record)["id"], id.as_str(), "at {position}");
    }
}
