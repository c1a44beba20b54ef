//! GET /stats/playbacks against the oracle: the same objects as GET /stats/playback/{id}, newest first.

use std::cmp::Reverse;

use ess_e2e::{TestApp, playback_json};
use ess_schema::playback::Playback;
use reqwest::Method;
use serde_json::Value;

use super::dataset::{MEANINGFUL, crowd, instant};
use crate::oracle::different_fields;
use crate::stored::encoded;

const FROM: &str = "2026-10-24T12:00:00Z";
const TO: &str = "2026-10-25T12:00:00Z";

/// Newest first, of one instant the greatest id first.
pub(crate) fn newest_first(
    playbacks: &[Playback],
    meets: impl Fn(&Playback) -> bool,
) -> Vec<&Playback> {
    let mut found: Vec<_> = playbacks.iter().filter(|p| meets(p)).collect();
    found.sort_by_key(|p| Reverse((p.aggregate.first_event_at, &p.aggregate.playback_id)));
    found
}

/// In what the pages that begin with this URL are not these playbacks, each once and in this order; nothing when they are.
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
    let mut told = Vec::new();
    if found.len() != expected.len() {
        told.push(format!(
            "expected {} playbacks, found {}",
            expected.len(),
            found.len()
        ));
    }
    for (expected, mut found) in expected.iter().zip(found) {
        // The log does not hold it.
        let stored = found
            .as_object_mut()
            .unwrap()
            .shift_remove("ingest_to_store_ms");
        assert!(stored.is_some_and(|ms| ms.is_i64()), "{found}");
        let differ = different_fields(&playback_json(expected), &found);
        told.extend(
            differ
                .into_iter()
                .map(|field| format!("{field} in {found}")),
        );
    }
    told.truncate(12);
    told
}

fn text(value: Option<&impl ToString>) -> Option<String> {
    value.map(ToString::to_string)
}

#[tokio::test]
async fn all_playbacks_are_told_of_each_once_newest_first() {
    let crowd = crowd().await;
    let all = newest_first(&crowd.playbacks, |_| true);
    for url in ["/stats/playbacks?limit=1000", "/stats/playbacks?limit=97"] {
        let wrong = different_pages(&crowd.app, url.to_owned(), &all).await;
        assert!(wrong.is_empty(), "{url}: {wrong:#?}");
    }
}

#[tokio::test]
async fn conditions_narrow_the_list_and_all_must_be_met() {
    let crowd = crowd().await;
    let user = |p: &Playback| text(p.aggregate.dimensions.user_id.as_ref());
    let track = |p: &Playback| text(p.aggregate.dimensions.track_id.as_ref());
    let (from, to) = (instant(FROM), instant(TO));
    let is_in = move |p: &Playback| (from..to).contains(&p.aggregate.first_event_at);
    let check = async |query: &str, meets: &dyn Fn(&Playback) -> bool| {
        let expected = newest_first(&crowd.playbacks, meets);
        assert!(!expected.is_empty(), "{query}");
        let url = format!("/stats/playbacks?limit=50&{query}");
        let wrong = different_pages(&crowd.app, url, &expected).await;
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
    for meaningful in MEANINGFUL {
        check(&format!("user_id={}", encoded(meaningful)), &|p| {
            user(p).as_deref() == Some(meaningful)
        })
        .await;
        check(&format!("track_id={}", encoded(meaningful)), &|p| {
            track(p).as_deref() == Some(meaningful)
        })
        .await;
    }
}

#[tokio::test]
async fn what_nobody_did_is_an_empty_list() {
    let crowd = crowd().await;
    for query in [
        "user_id=nobody",
        "state=playing",
        "state=paused",
        "to=2020-01-01T00:00:00Z",
    ] {
        let answer = crowd.app.get(&format!("/stats/playbacks?{query}")).await;
        assert_eq!(answer.expect_status(200).text, "[]", "{query}");
    }
}

#[tokio::test]
async fn a_list_says_the_same_one_a_line() {
    let crowd = crowd().await;
    let url = "/stats/playbacks?limit=20";
    let request = crowd.app.queries().request(Method::GET, url);
    let lines = crowd
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
    let list = crowd.app.get(url).await.expect_status(200).json();
    assert_eq!(list, Value::from(lines));
}
