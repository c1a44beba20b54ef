//! GET /stats/playbacks against the oracle: the objects of GET /stats/playback/{id}, newest first.

use std::cmp::Reverse;

use ess_e2e::{TestApp, playback_json};
use ess_schema::playback::Playback;
use reqwest::Method;
use serde_json::Value;

use super::dataset::{SPECIAL_TEXTS, dataset, instant};
use crate::oracle::different_fields;
use crate::stored::encoded;

const FROM: &str = "2026-10-24T12:00:00Z";
const TO: &str = "2026-10-25T12:00:00Z";

/// The playbacks that meet the condition, newest first; of one instant the greatest id first.
pub(crate) fn newest_first(
    playbacks: &[Playback],
    meets: impl Fn(&Playback) -> bool,
) -> Vec<&Playback> {
    let mut found: Vec<_> = playbacks.iter().filter(|p| meets(p)).collect();
    found.sort_by_key(|p| Reverse((p.aggregate.first_event_at, &p.aggregate.playback_id)));
    found
}

/// The differences between these playbacks and the pages from this URL on, order included; empty when there are none.
pub(crate) async fn different_pages(
    app: &TestApp,
    first: String,
    expected: &[&Playback],
) -> Vec<String> {
    let (mut found, mut next) = (Vec::new(), Some(first));
    while let Some(url) = next {
        let answer = app.get(&url).await;
        if answer.status != 200 {
            return vec![format!("{url}: {answer:?}")];
        }
        found.extend(answer.json().as_array().unwrap().clone());
        next = answer.next_page();
    }
    let mut differences = Vec::new();
    if found.len() != expected.len() {
        differences.push(format!(
            "expected {} playbacks, found {}",
            expected.len(),
            found.len()
        ));
    }
    for (expected, mut found) in expected.iter().zip(found) {
        // The log does not contain this field.
        let stored = found
            .as_object_mut()
            .unwrap()
            .shift_remove("ingest_to_store_ms");
        assert!(stored.is_some_and(|ms| ms.is_i64()), "{found}");
        let fields = different_fields(&playback_json(expected), &found);
        differences.extend(
            fields
                .into_iter()
                .map(|field| format!("{field} in {found}")),
        );
    }
    differences.truncate(12);
    differences
}

fn text(value: Option<&impl ToString>) -> Option<String> {
    value.map(ToString::to_string)
}

#[tokio::test]
async fn all_playbacks_are_listed_once_each_newest_first() {
    let dataset = dataset().await;
    let all = newest_first(&dataset.playbacks, |_| true);
    for url in ["/stats/playbacks?limit=1000", "/stats/playbacks?limit=97"] {
        let wrong = different_pages(&dataset.app, url.to_owned(), &all).await;
        assert!(wrong.is_empty(), "{url}: {wrong:#?}");
    }
}

#[tokio::test]
async fn conditions_narrow_the_list_and_all_must_be_met() {
    let dataset = dataset().await;
    let user = |p: &Playback| text(p.aggregate.dimensions.user_id.as_ref());
    let track = |p: &Playback| text(p.aggregate.dimensions.track_id.as_ref());
    let (from, to) = (instant(FROM), instant(TO));
    let is_in = move |p: &Playback| (from..to).contains(&p.aggregate.first_event_at);
    let check = async |query: &str, meets: &dyn Fn(&Playback) -> bool| {
        let expected = newest_first(&dataset.playbacks, meets);
        assert!(!expected.is_empty(), "{query}");
        let url = format!("/stats/playbacks?limit=50&{query}");
        let wrong = different_pages(&dataset.app, url, &expected).await;
        assert!(wrong.is_empty(), "{query}: {wrong:#?}");
    };
    check("user_id=user-2", &|p| user(p).as_deref() == Some("user-2")).await;
    check("track_id=track-1", &|p| {
        track(p).as_deref() == Some("track-1")
    })
    .await;
    check(&format!("from={FROM}&to={TO}"), &is_in).await;
    check(&format!("to={FROM}"), &|p| {
        p.aggregate.first_event_at < from
    })
    .await;
    check(
        &format!("from={FROM}&track_id=track-1&state=finished"),
        &|p| {
            p.aggregate.first_event_at >= from
                && track(p).as_deref() == Some("track-1")
                && p.state == Some("finished")
        },
    )
    .await;
    for state in ["finished", "failed", "abandoned"] {
        check(&format!("state={state}"), &|p| p.state == Some(state)).await;
    }
    for special_text in SPECIAL_TEXTS {
        check(&format!("user_id={}", encoded(special_text)), &|p| {
            user(p).as_deref() == Some(special_text)
        })
        .await;
        check(&format!("track_id={}", encoded(special_text)), &|p| {
            track(p).as_deref() == Some(special_text)
        })
        .await;
    }
}

#[tokio::test]
async fn conditions_without_matches_give_an_empty_list() {
    let dataset = dataset().await;
    for query in [
        "user_id=unknown",
        "state=playing",
        "state=paused",
        "to=2020-01-01T00:00:00Z",
    ] {
        let answer = dataset.app.get(&format!("/stats/playbacks?{query}")).await;
        assert_eq!(answer.expect_status(200).text, "[]", "{query}");
    }
}

#[tokio::test]
async fn ndjson_has_the_same_playbacks_as_json() {
    let dataset = dataset().await;
    let url = "/stats/playbacks?limit=20";
    let request = dataset.app.queries().request(Method::GET, url);
    let lines = dataset
        .app
        .queries()
        .send(request.header("accept", "application/x-ndjson"))
        .await;
    let lines: Vec<Value> = lines
        .expect_status(200)
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let list = dataset.app.get(url).await.expect_status(200).json();
    assert_eq!(list, Value::from(lines));
}
