//! Lists of events: each distinct event once, newest first, as it was sent, however often it was stored.

use ess_e2e::{TestApp, unique};
use ess_schema::{Event, Source};
use serde_json::{Value, json};

use crate::stored::{Partition, encoded, event, reader};

/// Events of one run, a second apart, the newest last.
pub(super) fn run(test_id: &str, count: i64) -> Vec<Event> {
    (0..count)
        .map(|n| {
            let mut note = event(&json!({
                "type": "RecordEvent", "event_type": "Note", "event_id": unique("e"), "test_id": test_id,
                "user_id": "u", "data": {"n": n}
            }));
            note.occurred_at = note.occurred_at.plus_millis((n - count) * 1_000);
            note
        })
        .collect()
}

pub(super) fn ids(answer: &Value) -> Vec<String> {
    let events = answer.as_array().unwrap().iter();
    events
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect()
}

pub(super) fn newest_first(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .rev()
        .map(|event| event.id.to_string())
        .collect()
}

/// The ids of every page from this URL on.
pub(super) async fn follow(app: &TestApp, first: String) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(first);
    while let Some(url) = next {
        let page = app.get(&url).await.expect_status(200);
        pages.push(ids(&page.json()));
        next = page.next_page();
    }
    pages
}

#[tokio::test]
async fn each_event_is_listed_once_however_often_it_was_stored() {
    let app = reader().await;
    let (partition, test_id) = (Partition::of(app).await, unique("run"));
    let events = run(&test_id, 25);
    let positions = partition.store(&events).await;
    let rows: Vec<_> = events.iter().zip(&positions).collect();
    partition.store_at(&rows).await;
    partition.store_at(&rows[5..20]).await;
    // A client's repetition: the same message, later in the log.
    partition.store(&events[..10]).await;
    for limit in [1, 4, 25, 1000] {
        let pages = follow(app, format!("/events?test_id={test_id}&limit={limit}")).await;
        assert!(pages.iter().all(|page| page.len() <= limit), "{pages:?}");
        assert_eq!(pages.concat(), newest_first(&events), "{limit} a page");
    }
}

#[tokio::test]
async fn of_two_messages_under_one_identity_only_the_first_in_the_log_is_listed() {
    let app = reader().await;
    let (partition, test_id) = (Partition::of(app).await, unique("run"));
    let mut events = run(&test_id, 5);
    let mut later = events[1].clone();
    later.occurred_at = events[3].occurred_at.plus_millis(1);
    later.content.json = Some(r#"{"conflicts":true}"#.to_owned());
    events.push(later);
    partition.store(&events).await;
    for limit in [1, 2, 10] {
        let pages = follow(app, format!("/events?test_id={test_id}&limit={limit}")).await;
        assert_eq!(pages.concat(), newest_first(&events[..5]), "{limit} a page");
    }
    let canonical = app
        .get(&format!("/events/{}", events[1].id))
        .await
        .expect_status(200)
        .json();
    assert_eq!(
        (ids(&canonical).len(), &canonical[0]["data"]),
        (1, &json!({"n": 1}))
    );
}

#[tokio::test]
async fn pages_stay_correct_while_events_arrive() {
    let app = reader().await;
    let (partition, test_id) = (Partition::of(app).await, unique("run"));
    let mut all = run(&test_id, 30);
    let newer = all.split_off(20);
    partition.store(&all).await;
    let first = app
        .get(&format!("/events?test_id={test_id}&limit=6"))
        .await
        .expect_status(200);
    partition.store(&newer).await;
    let rest = follow(app, first.next_page().unwrap()).await.concat();
    assert_eq!([ids(&first.json()), rest].concat(), newest_first(&all));
}

#[tokio::test]
async fn an_offset_skips_the_newest() {
    let app = reader().await;
    let (partition, test_id) = (Partition::of(app).await, unique("run"));
    let events = run(&test_id, 12);
    partition.store(&events).await;
    partition.store(&events).await;
    let page = |query: &str| format!("/events/?test_id={test_id}&{query}");
    let expected = newest_first(&events);
    let third = app.get(&page("limit=3&offset=6")).await.expect_status(200);
    assert_eq!(ids(&third.json()), expected[6..9]);
    assert_eq!(
        follow(app, third.next_page().unwrap()).await.concat(),
        expected[9..]
    );
    let default = app.get(&page("offset=0")).await.expect_status(200).json();
    assert_eq!(ids(&default), expected[..10]);
    assert_eq!(
        app.get(&page("offset=10000")).await.expect_status(200).text,
        "[]"
    );
}

#[tokio::test]
async fn an_event_is_answered_as_it_was_sent() {
    let app = reader().await;
    let (partition, test_id) = (Partition::of(app).await, unique("run"));
    let mut sent = event(&json!({
        "type": "ReportProgress", "event_id": unique("'\\`"), "test_id": test_id, "playback_id": "p'1",
        "user_id": "o'\\br`ien", "track_id": "曲", "from_ms": 0, "to_ms": 10_000, "source": "https://x.example/?a=1"
    }));
    sent.content.json = Some("{\"big\": 12345678901234567890.10,\n\"list\": [ ]}".to_owned());
    let position = partition.store(&[sent.clone()]).await[0];
    let url = format!("/events?test_id={test_id}");
    let answer = app.get(&url).await.expect_status(200);
    assert!(
        answer
            .text
            .contains(r#""data":{"big": 12345678901234567890.10, "list": [ ]}"#),
        "{}",
        answer.text
    );
    let mut found = answer.json()[0].clone();
    let stored = found.as_object_mut().unwrap().remove("store_time").unwrap();
    assert!(stored.as_str().unwrap().ends_with('Z'));
    let expected = json!({
        "id": sent.id, "type": "PlaybackProgressed", "playback_id": "p'1", "user_id": "o'\\br`ien", "track_id": "曲",
        "occurred_at": sent.occurred_at, "ingest_time": sent.ingest_time, "test_id": test_id,
        "source": "https://x.example/?a=1", "schemaversion": 1, "position": position.to_string(),
        "data": {"big": 12_345_678_901_234_567_890.10, "list": []}
    });
    assert_eq!(found, expected);
    let by_id = app
        .get(&format!("/events/{}/", encoded(sent.id.as_str())))
        .await
        .expect_status(200);
    assert_eq!(by_id.text, answer.text);

    let lines = app
        .queries()
        .request(reqwest::Method::GET, &url)
        .header("accept", "application/x-ndjson");
    let lines = app.queries().send(lines).await.expect_status(200);
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(format!("[{}]", lines.text.trim_end()), answer.text);
}

#[tokio::test]
async fn an_id_matches_the_events_of_every_source() {
    let app = reader().await;
    let (partition, id) = (Partition::of(app).await, unique("e"));
    let of = |source: &str| {
        let mut note = event(&json!({"type": "RecordEvent", "event_type": "Note", "event_id": id}));
        note.source = Source::new(source).unwrap();
        note
    };
    partition.store(&[of("a"), of("b"), of("b"), of("c")]).await;
    let found = app
        .get(&format!("/events/{id}"))
        .await
        .expect_status(200)
        .json();
    let mut sources: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["source"].as_str().unwrap())
        .collect();
    sources.sort_unstable();
    assert_eq!(sources, ["a", "b", "c"]);
    assert_eq!(
        app.get(&format!("/events/{}", unique("e"))).await.status,
        404
    );
}
