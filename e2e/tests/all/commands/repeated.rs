//! The same request sent again, as a client does that got no answer: what has an id, or a key to make one of, is one event in
//! the read model; what has neither is another fact.

use std::collections::BTreeSet;

use ess_e2e::{TestApp, unique};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::*;

/// A command of this playback without an id.
fn nameless(playback: &str) -> Value {
    let mut command = progress("x");
    command.as_object_mut().unwrap().shift_remove("event_id");
    command["playback_id"] = playback.into();
    command
}

/// Sends the same body twice, and waits until the read model holds both; the ids that each answer told.
async fn twice(app: &TestApp, path: &str, key: Option<&str>, body: &Value) -> [Vec<String>; 2] {
    let mut ids = [const { Vec::new() }; 2];
    for told in &mut ids {
        let request = app.commands().request(Method::POST, path);
        let request = request.header(CONTENT_TYPE, "application/json");
        let request = key.into_iter().fold(request, |request, key| {
            request.header("idempotency-key", key)
        });
        let answer = app.commands().send(request.body(body.to_string())).await;
        let appended = appended(&answer.expect_status(202));
        let (named, positions): (Vec<_>, Vec<_>) = appended.into_iter().unzip();
        app.wait_until_projected(positions).await;
        *told = named;
    }
    ids
}

/// The ids of the playback's events as they are listed, and how many it says it has.
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
async fn the_same_key_twice_is_the_same_ids_and_each_is_one_event() {
    let app = TestApp::shared().await;
    for path in ["/commands", "/events"] {
        let playback = unique("p");
        let key = unique("key");
        let one = nameless(&playback);
        let [first, again] = twice(app, path, Some(&key), &one).await;
        assert_eq!(first, again);
        assert_eq!(read(app, &playback).await, (first, 1));

        let playback = unique("p");
        let list = json!([nameless(&playback), nameless(&playback)]);
        let [first, again] = twice(app, path, Some(&unique("key")), &list).await;
        assert_eq!(first, again);
        assert_eq!(read(app, &playback).await, (sorted(&first), 2));
    }
}

#[tokio::test]
async fn the_same_event_id_twice_is_one_event() {
    let app = TestApp::shared().await;
    let (playback, id) = (unique("p"), unique("e"));
    let mut command = nameless(&playback);
    command["event_id"] = id.as_str().into();
    for body in [&command, &json!([command])] {
        let told = twice(app, "/commands", None, body).await;
        assert_eq!(told, [vec![id.clone()], vec![id.clone()]]);
    }
    assert_eq!(read(app, &playback).await, (vec![id], 1));
}

#[tokio::test]
async fn without_a_key_or_an_id_a_repetition_is_another_event() {
    let app = TestApp::shared().await;
    let playback = unique("p");
    let [first, again] = twice(app, "/commands", None, &nameless(&playback)).await;
    assert_ne!(first, again);
    let both = sorted(&[first, again].concat());
    assert_eq!(read(app, &playback).await, (both, 2));
}
