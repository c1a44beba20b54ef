//! The same request sent twice, as by a client that got no response. An item with an id, or in a request with an idempotency key, is
//! one event in the read model; any other item is two events.

use std::collections::BTreeSet;

use ess_e2e::{TestApp, unique};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::*;

/// A command of this playback without an event id.
fn without_id(playback: &str) -> Value {
    let mut command = progress("x");
    command.as_object_mut().unwrap().shift_remove("event_id");
    command["playback_id"] = playback.into();
    command
}

/// Sends the same body twice, and waits until the read model has both. Returns the event ids of each response.
async fn send_twice(
    app: &TestApp,
    path: &str,
    key: Option<&str>,
    body: &Value,
) -> [Vec<String>; 2] {
    let mut ids = [const { Vec::new() }; 2];
    for ids_of_response in &mut ids {
        let request = app.commands().request(Method::POST, path);
        let request = request.header(CONTENT_TYPE, "application/json");
        let request = key.into_iter().fold(request, |request, key| {
            request.header("idempotency-key", key)
        });
        let answer = app.commands().send(request.body(body.to_string())).await;
        let appended = appended(&answer.expect_status(202));
        let (event_ids, positions): (Vec<_>, Vec<_>) = appended.into_iter().unzip();
        app.wait_until_projected(positions).await;
        *ids_of_response = event_ids;
    }
    ids
}

/// The event ids of a playback, as listed, and its event count.
async fn read(app: &TestApp, playback: &str) -> (Vec<String>, u64) {
    let listed = app.get(&format!("/events?playback_id={playback}")).await;
    let listed = listed.expect_status(200).json();
    let ids = listed.as_array().unwrap().iter();
    let mut ids: Vec<_> = ids
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    let aggregate = app.get(&format!("/stats/playback/{playback}")).await;
    let count = aggregate.expect_status(200).json()["event_count"].as_u64();
    (ids, count.unwrap())
}

fn sorted(ids: &[String]) -> Vec<String> {
    let ids: BTreeSet<_> = ids.iter().cloned().collect();
    ids.into_iter().collect()
}

#[tokio::test]
async fn a_repeated_idempotency_key_gives_the_same_ids_and_one_event_each() {
    let app = TestApp::shared().await;
    for path in ["/commands", "/events"] {
        let playback = unique("p");
        let key = unique("key");
        let one = without_id(&playback);
        let [first, again] = send_twice(app, path, Some(&key), &one).await;
        assert_eq!(first, again);
        assert_eq!(read(app, &playback).await, (first, 1));

        let playback = unique("p");
        let list = json!([without_id(&playback), without_id(&playback)]);
        let [first, again] = send_twice(app, path, Some(&unique("key")), &list).await;
        assert_eq!(first, again);
        assert_eq!(read(app, &playback).await, (sorted(&first), 2));
    }
}

#[tokio::test]
async fn a_repeated_event_id_is_one_event() {
    let app = TestApp::shared().await;
    let (playback, id) = (unique("p"), unique("e"));
    let mut command = without_id(&playback);
    command["event_id"] = id.as_str().into();
    for body in [&command, &json!([command])] {
        let ids = send_twice(app, "/commands", None, body).await;
        assert_eq!(ids, [vec![id.clone()], vec![id.clone()]]);
    }
    assert_eq!(read(app, &playback).await, (vec![id], 1));
}

#[tokio::test]
async fn without_a_key_or_an_id_a_repetition_is_another_event() {
    let app = TestApp::shared().await;
    let playback = unique("p");
    let [first, again] = send_twice(app, "/commands", None, &without_id(&playback)).await;
    assert_ne!(first, again);
    let both = sorted(&[first, again].concat());
    assert_eq!(read(app, &playback).await, (both, 2));
}
