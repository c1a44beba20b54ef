//! Pages of many events while newer, older and repeated events are stored. No event is listed twice, and none that existed at the
//! start is missing.

use std::collections::HashSet;

use ess_e2e::TestApp;
use ess_schema::{Event, EventId, Position, Timestamp};
use serde_json::{Value, json};

use super::listed::ids;
use crate::oracle;
use crate::stored::{Partition, alone, event};

const EVENTS: usize = 100_000;
/// The number of inserted blocks, and so of parts; each spans the entire time range.
const BLOCKS: usize = 25;
/// The number of events with the same time, which only source and id order.
const AT_ONCE: usize = 7;
const PAGE: usize = 1_000;

/// Creates the events of this test.
struct Maker {
    like: Event,
    began: Timestamp,
}

impl Maker {
    fn new() -> Self {
        let note =
            json!({"type": "RecordEvent", "event_type": "Note", "user_id": "u", "data": {"n": 1}});
        Self {
            like: event(&note),
            began: oracle::now().plus_millis(-3_600_000),
        }
    }

    /// The nth event of those stored at the start.
    fn first(&self, n: usize) -> Event {
        self.at(&format!("first-{n}"), (n / AT_ONCE) as i64 * 20)
    }

    /// An event this many ms after the first.
    fn at(&self, id: &str, millis: i64) -> Event {
        Event {
            id: EventId::new(id).unwrap(),
            occurred_at: self.began.plus_millis(millis),
            ..self.like.clone()
        }
    }
}

/// Stores the events of the start, some in two parts, some sent twice.
async fn fill(partition: &Partition, maker: &Maker) -> Vec<(Event, Position)> {
    let mut stored = Vec::with_capacity(EVENTS);
    for block in 0..BLOCKS {
        let events: Vec<_> = (block..EVENTS)
            .step_by(BLOCKS)
            .map(|n| maker.first(n))
            .collect();
        let positions = partition.store(&events).await;
        let rows: Vec<_> = events.iter().zip(&positions).collect();
        match block % 5 {
            0 => partition.store_at(&rows).await,
            1 => drop(partition.store(&events).await),
            _ => {}
        }
        stored.extend(events.into_iter().zip(positions));
    }
    stored
}

/// Stores events while a page is read.
async fn write(partition: &Partition, maker: &Maker, stored: &[(Event, Position)], round: usize) {
    let span = (EVENTS / AT_ONCE) as i64 * 20;
    let fresh = |n: usize| {
        let at = match n % 3 {
            0 => span + (round * 100 + n) as i64,
            1 => -((round * 100 + n) as i64),
            _ => (round * 7_919 + n * 3_547) as i64 % span,
        };
        maker.at(&format!("later-{round}-{n}"), at)
    };
    let again = |n: usize| &stored[(round * 104_729 + n * 1_009) % stored.len()];
    let again: Vec<_> = (0..60).map(again).collect();
    let sent_again = again.iter().map(|(event, _)| event.clone());
    let sent: Vec<_> = (0..90).map(fresh).chain(sent_again).collect();
    partition.store(&sent).await;
    let stored_again: Vec<_> = again
        .iter()
        .map(|(event, position)| (event, position))
        .collect();
    partition.store_at(&stored_again).await;
}

/// The sort key of `events`.
fn sort_key(event: &Value) -> (String, String, String) {
    let text = |name: &str| event[name].as_str().unwrap().to_owned();
    (text("occurred_at"), text("source"), text("id"))
}

async fn parts(app: &TestApp) -> u64 {
    let parts = app.select("SELECT count() AS parts FROM system.parts WHERE database = currentDatabase() AND table = 'events' AND active").await;
    parts[0]["parts"].as_u64().unwrap()
}

#[tokio::test]
async fn a_hundred_thousand_events_are_listed_once_each_while_others_are_stored() {
    let app = alone(&[]).await;
    let (partition, maker) = (Partition::of(&app).await, Maker::new());
    // Repetitions must not be merged before they are read.
    app.execute("SYSTEM STOP MERGES events").await;
    let stored = fill(&partition, &maker).await;
    assert!(parts(&app).await > BLOCKS as u64);

    let mut listed: Vec<Value> = Vec::new();
    let mut next = Some(format!("/events?limit={PAGE}"));
    let mut round = 0;
    while let Some(url) = next {
        let (page, ()) = tokio::join!(app.get(&url), write(&partition, &maker, &stored, round));
        let page = page.expect_status(200);
        next = page.next_page();
        listed.extend(page.json().as_array().unwrap().iter().cloned());
        round += 1;
    }

    assert!(round >= EVENTS / PAGE, "{round} pages");
    assert!(listed.is_sorted_by(|before, after| sort_key(before) > sort_key(after)));
    let all = ids(&Value::Array(listed));
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    let listed_of_first: Vec<_> = all
        .into_iter()
        .filter(|id| id.starts_with("first-"))
        .collect();
    let mut first: Vec<_> = stored.into_iter().map(|(event, _)| event).collect();
    first.sort_by(|a, b| (b.occurred_at, b.id.as_str()).cmp(&(a.occurred_at, a.id.as_str())));
    let first: Vec<_> = first.iter().map(|event| event.id.to_string()).collect();
    assert!(
        listed_of_first == first,
        "{} of {} listed",
        listed_of_first.len(),
        first.len()
    );
}
