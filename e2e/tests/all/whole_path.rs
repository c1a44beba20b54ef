//! The complete path of an event: HTTP, Kafka, projector, ClickHouse, HTTP. Answers equal the oracle's, and the log alone rebuilds
//! them.

use std::collections::BTreeMap;

use ess_e2e::{Answer, TestApp, event_json, unique};
use ess_schema::{Event, PlaybackId, Position};
use futures::{StreamExt, stream};
use serde_json::Value;

use crate::oracle;
use crate::traffic::{Traffic, seed, simulated};

const IN_FLIGHT: usize = 4;
const PAGE: usize = 1_000;
pub(crate) const EVERY_EVENT: &str = "/events?limit=1000";

#[tokio::test]
async fn a_thousand_playbacks_sent_in_every_format_equal_the_oracle() {
    let (app, seed) = (TestApp::start().await, seed());
    let traffic = Traffic::new(simulated(seed, 1_000), seed);
    let positions = traffic.send(&app).await;
    assert!(
        positions.len() > traffic.events.len(),
        "nothing was repeated"
    );
    app.wait_until_projected(positions).await;

    assert_answers_equal_oracle(&app, &traffic.events).await;
    assert_each_event_is_listed_once(&app, &traffic.events).await;
    assert_eq!(app.dead_letters.records().await, []);
}

#[tokio::test]
async fn a_dropped_read_model_is_rebuilt_from_the_log_alone() {
    let (app, playbacks) = app_with_playbacks(60).await;
    let before = answers(&app, &playbacks).await;
    assert_eq!(app.projector.terminate().await, 0);
    app.query_api.kill().await;
    for database in [app.database().await, app.control_database().to_owned()] {
        let drop = format!("DROP DATABASE {database} SYNC");
        app.clickhouse().query(&drop).execute().await.unwrap();
    }

    app.init().await;
    // With a new group, so that it starts at offset 0.
    let replaying = app.projector_with(&[("PROJECTOR_GROUP", &unique("replaying"))]);
    replaying.start().await;
    app.query_api.start().await;
    app.wait_until_everything_is_projected().await;

    let after = answers(&app, &playbacks).await;
    assert_same(&before, &after, &["ingest_to_store_ms"]);
}

/// An ESS with some simulated playbacks, and their ids.
async fn app_with_playbacks(count: u64) -> (TestApp, Vec<PlaybackId>) {
    let (app, seed) = (TestApp::start().await, seed());
    let traffic = Traffic::new(simulated(seed, count), seed);
    let positions = traffic.send(&app).await;
    app.wait_until_projected(positions).await;
    let playbacks = traffic.playbacks();
    (app, playbacks)
}

pub(crate) async fn answers(
    app: &TestApp,
    playbacks: &[PlaybackId],
) -> BTreeMap<PlaybackId, Answer> {
    let answers = stream::iter(playbacks).map(async |id: &PlaybackId| {
        let answer = app.get(&format!("/stats/playback/{id}")).await;
        (id.clone(), answer)
    });
    answers.buffer_unordered(IN_FLIGHT).collect().await
}

/// Every playback has the same answer as before, field by field.
pub(crate) fn assert_same(
    before: &BTreeMap<PlaybackId, Answer>,
    after: &BTreeMap<PlaybackId, Answer>,
    except: &[&str],
) {
    for (id, before) in before {
        let after = &after[id];
        assert_eq!((before.status, after.status), (200, 200), "{after:?}");
        let mut fields = oracle::different_fields(&before.json(), &after.json());
        fields.retain(|field| !except.iter().any(|name| field.starts_with(name)));
        assert!(fields.is_empty(), "{id}: {fields:#?}");
    }
}

/// The answer for every playback of these events equals the oracle's.
pub(crate) async fn assert_answers_equal_oracle(app: &TestApp, events: &[Event]) {
    let expected = oracle::playbacks(events);
    let ids: Vec<_> = expected.iter().map(|(id, _)| id.clone()).collect();
    let answers = answers(app, &ids).await;
    let wrong: Vec<_> = expected
        .iter()
        .map(|(id, playback)| (id, oracle::differences(playback, &answers[id])))
        .filter(|(_, differences)| !differences.is_empty())
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} playbacks differ, the first: {:#?}",
        wrong.len(),
        expected.len(),
        &wrong[..wrong.len().min(3)]
    );
}

/// Every distinct event is listed once, as it was sent, at its lowest position in the log, the newest first.
async fn assert_each_event_is_listed_once(app: &TestApp, events: &[Event]) {
    let first = first_positions(app).await;
    let mut missing: BTreeMap<_, _> = events
        .iter()
        .map(|event| {
            let identity = (event.source.to_string(), event.id.to_string());
            let expected = event_json(event, first[&identity]);
            (identity, expected)
        })
        .collect();
    let listed = all_pages(app, EVERY_EVENT).await;
    let newest_first = listed
        .iter()
        .map(|event| event["occurred_at"].as_str())
        .is_sorted_by(|a, b| a >= b);
    assert!(newest_first, "not sorted by time, newest first");
    for mut event in listed {
        let identity = (text(&event, "source"), text(&event, "id"));
        let expected = missing.remove(&identity);
        let expected = expected.unwrap_or_else(|| panic!("listed twice or never sent: {event}"));
        for received in ["ingest_time", "store_time"] {
            let at = event.as_object_mut().unwrap().shift_remove(received);
            assert!(at.is_some_and(|at| at.is_string()), "{received} of {event}");
        }
        let fields = oracle::different_fields(&expected, &event);
        assert!(fields.is_empty(), "{identity:?}: {fields:#?}");
    }
    let missing: Vec<_> = missing.into_values().collect();
    assert_eq!(missing, [] as [Value; 0], "not listed");
}

fn text(event: &Value, name: &str) -> String {
    event[name].as_str().unwrap().to_owned()
}

/// The first position of each identity in the log.
async fn first_positions(app: &TestApp) -> BTreeMap<(String, String), Position> {
    let mut first = BTreeMap::new();
    for record in app.topic.records().await {
        let event: Value = serde_json::from_slice(&record.payload.unwrap()).unwrap();
        let identity = (text(&event, "source"), text(&event, "id"));
        let known = first.entry(identity).or_insert(record.position);
        *known = record.position.min(*known);
    }
    first
}

pub(crate) async fn all_pages(app: &TestApp, first: &str) -> Vec<Value> {
    let (mut events, mut next) = (Vec::new(), Some(first.to_owned()));
    while let Some(page) = next {
        let answer = app.get(&page).await.expect_status(200);
        let Value::Array(listed) = answer.json() else {
            panic!("{answer:?} is not a list")
        };
        assert!(listed.len() <= PAGE, "a page of {}", listed.len());
        next = answer.next_page();
        assert!(
            next.is_none() || !listed.is_empty(),
            "an empty page before the last"
        );
        events.extend(listed);
    }
    events
}
