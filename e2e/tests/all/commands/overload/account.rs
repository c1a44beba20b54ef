//! What clients were told, held against the log: it never trusts what the service says it did.

use std::collections::BTreeMap;
use std::time::Instant;

use ess_e2e::TestApp;
use ess_schema::Position;
use serde_json::{Value, json};

use super::exchange::{Exchange, Fate};
use crate::commands::{appended, event, progress};

/// Ids sent again in one request.
const AT_ONCE: usize = 5_000;

/// How many events came to which end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) acknowledged: usize,
    pub(super) refused: usize,
    pub(super) unknown: usize,
    /// Of these, how many are in the log.
    pub(super) unknown_and_in_the_log: usize,
}

/// Every acknowledged event lies where it was said to lie and nowhere else; nothing that was refused is in the log; what is
/// unknown is there at most once; and nothing else is there.
pub(super) async fn account(app: &TestApp, exchanges: &[Exchange]) -> Totals {
    let mut held = positions_by_id(app).await;
    // Sent before the load, see `Broker::command_api`.
    held.remove("first");
    let mut totals = Totals::default();
    for (id, fate) in exchanges.iter().flat_map(|exchange| &exchange.events) {
        let found = held.remove(id).unwrap_or_default();
        match fate {
            Fate::Acknowledged(position) => {
                assert_eq!(found, [*position], "{id} was acknowledged at {position}");
                totals.acknowledged += 1;
            }
            Fate::Overloaded | Fate::Unavailable => {
                assert_eq!(found, [], "{id} was refused, and yet is in the log");
                totals.refused += 1;
            }
            Fate::Unknown => {
                assert!(found.len() <= 1, "{id} was sent once and lies at {found:?}");
                totals.unknown += 1;
                totals.unknown_and_in_the_log += found.len();
            }
        }
    }
    assert_eq!(held, BTreeMap::new(), "nobody sent these");
    totals
}

/// Sends again, under the same ids, what was not acknowledged; then every event that was ever sent is in the log.
pub(super) async fn repeat_what_was_not_acknowledged(app: &TestApp, exchanges: &[Exchange]) {
    let events = || exchanges.iter().flat_map(|exchange| &exchange.events);
    let open: Vec<Value> = events()
        .filter(|(_, fate)| !matches!(fate, Fate::Acknowledged(_)))
        .map(|(id, _)| progress(id))
        .collect();
    for commands in open.chunks(AT_ONCE) {
        let body = json!(commands).to_string();
        let answer = app.post("/commands", "application/json", body).await;
        assert_eq!(appended(&answer.expect_status(202)).len(), commands.len());
    }
    let held = positions_by_id(app).await;
    for (id, _) in events() {
        assert!(held.contains_key(id), "{id} is lost");
    }
}

/// Nothing that was sent and answered in this time was acknowledged.
pub(super) fn assert_nothing_acknowledged(exchanges: &[Exchange], from: Instant, to: Instant) {
    let within = |exchange: &&Exchange| exchange.sent > from && exchange.answered < to;
    let within: Vec<_> = exchanges.iter().filter(within).collect();
    assert!(!within.is_empty(), "nothing was answered meanwhile");
    for exchange in within {
        for (id, fate) in &exchange.events {
            let acknowledged = matches!(fate, Fate::Acknowledged(_));
            assert!(!acknowledged, "{id} was acknowledged by no log");
        }
    }
}

async fn positions_by_id(app: &TestApp) -> BTreeMap<String, Vec<Position>> {
    let mut held = BTreeMap::<String, Vec<Position>>::new();
    for record in app.topic.records().await {
        let id = event(&record)["id"].as_str().unwrap().to_owned();
        held.entry(id).or_default().push(record.position);
    }
    held
}
