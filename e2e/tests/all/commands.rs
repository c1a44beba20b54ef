//! POST /commands and POST /events with a real broker: what a 2xx guarantees, and what an error guarantees. Unit tests of the
//! command-api cover the shapes of responses.

mod acknowledged;
mod broker;
mod clients;
mod compressed;
mod limits;
mod overload;
mod partial;
mod repeated;
mod sdks;
mod unavailable;

use ess_e2e::{Answer, Builder, Record, TestApp};
use ess_schema::Position;
use serde_json::{Value, json};

/// An ESS with only the command-api.
fn command_api_alone() -> Builder {
    TestApp::builder().without_projector().without_query_api()
}

/// A valid command.
fn progress(event_id: &str) -> Value {
    json!({
        "type": "ReportProgress", "event_id": event_id, "playback_id": format!("of-{event_id}"),
        "user_id": "u", "track_id": "t", "from_ms": 0, "to_ms": 10_000,
    })
}

/// Event id and position of every appended item in a response.
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

/// The event of a record.
fn event(record: &Record) -> Value {
    serde_json::from_slice(record.payload.as_deref().unwrap()).unwrap()
}

/// Asserts that each event is in the log at its position.
fn assert_in_log(records: &[Record], appended: &[(String, Position)]) {
    for (id, position) in appended {
        let record = records.iter().find(|record| record.position == *position);
        let record = record.unwrap_or_else(|| panic!("no record at {position}"));
        assert_eq!(event(record)["id"], id.as_str(), "at {position}");
    }
}
