//! Compares the responses that clients got with the records in the log.

use std::collections::BTreeMap;
use std::time::Instant;

use ess_e2e::TestApp;
use ess_schema::Position;
use serde_json::{Value, json};

use super::exchange::{Exchange, Fate};
use crate::commands::{appended, event, progress};

/// Events per repeated request.
const EVENTS_PER_REQUEST: usize = 5_000;

/// The number of events with each fate.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) acknowledged: usize,
    pub(super) rejected: usize,
    pub(super) unknown: usize,
    /// Unknown events that are in the log.
    pub(super) unknown_and_in_the_log: usize,
}

/// Asserts that every acknowledged event is in the log at its position only, no rejected event is in the log, every unknown one is
/// there at most once, and nothing else.
pub(super) async fn account(app: &TestApp, exchanges: &[Exchange]) -> Totals {
    let mut positions = positions_by_id(app).await;
    // Sent before the load, see `Broker::command_api`.
    positions.remove("first");
    let mut totals = Totals::default();
    for (id, fate) in exchanges.iter().flat_map(|exchange| &exchange.events) {
        let found = positions.remove(id).unwrap_or_default();
        match fate {
            Fate::Acknowledged(position) => {
                assert_eq!(found, [*position], "{id} was acknowledged at {position}");
                totals.acknowledged += 1;
            }
            Fate::Overloaded | Fate::Unavailable => {
                assert_eq!(found, [], "{id} was rejected, but is in the log");
                totals.rejected += 1;
            }
            Fate::Unknown => {
                assert!(
                    found.len() <= 1,
                    "{id} was sent once, but is in the log at {found:?}"
                );
                totals.unknown += 1;
                totals.unknown_and_in_the_log += found.len();
            }
        }
    }
    assert_eq!(positions, BTreeMap::new(), "no client sent these");
    totals
}

/// Sends the unacknowledged events again with the same ids, and asserts that the log then has every event.
pub(super) async fn repeat_unacknowledged(app: &TestApp, exchanges: &[Exchange]) {
    let events = || exchanges.iter().flat_map(|exchange| &exchange.events);
    let unacknowledged: Vec<Value> = events()
        .filter(|(_, fate)| !matches!(fate, Fate::Acknowledged(_)))
        .map(|(id, _)| progress(id))
        .collect();
    for commands in unacknowledged.chunks(EVENTS_PER_REQUEST) {
        let body = json!(commands).to_string();
        let answer = app.post("/commands", "application/json", body).await;
        assert_eq!(appended(&answer.expect_status(202)).len(), commands.len());
    }
    let positions = positions_by_id(app).await;
    for (id, _) in events() {
        assert!(positions.contains_key(id), "{id} is lost");
    }
}

/// Asserts that no event of a request sent and answered between `from` and `to` was acknowledged.
pub(super) fn assert_nothing_acknowledged(exchanges: &[Exchange], from: Instant, to: Instant) {
    let within = |exchange: &&Exchange| exchange.sent > from && exchange.answered < to;
    let within: Vec<_> = exchanges.iter().filter(within).collect();
    assert!(
        !within.is_empty(),
        "no request was answered between these times"
    );
    for exchange in within {
        for (id, fate) in &exchange.events {
            let acknowledged = matches!(fate, Fate::Acknowledged(_));
            assert!(
                !acknowledged,
                "{id} was acknowledged although Kafka was unavailable"
            );
        }
    }
}

async fn positions_by_id(app: &TestApp) -> BTreeMap<String, Vec<Position>> {
    let mut positions = BTreeMap::<String, Vec<Position>>::new();
    for record in app.topic.records().await {
        let id = event(&record)["id"].as_str().unwrap().to_owned();
        positions.entry(id).or_default().push(record.position);
    }
    positions
}
