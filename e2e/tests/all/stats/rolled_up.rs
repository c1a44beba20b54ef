//! The rows of `playbacks`: rolled up in one step or in many, by one process or two at once, they are the same. A reader with
//! `?after=` waits until they include the position.

use ess_e2e::{TestApp, eventually, unique};
use ess_schema::Event;
use ess_schema::rollup::{Dimension, TimeUnit};
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;
use serde_json::json;

use super::dataset::{generate, playbacks};
use super::playbacks::{different_pages, newest_first};
use super::question::{METRICS, Question};
use crate::stored::{Partition, alone, event};
use crate::traffic::seed;

const STEPS: usize = 9;

/// Asserts that lists and reports of these events equal the fold.
async fn assert_folded(app: &TestApp, events: &[Event]) {
    let playbacks = playbacks(events);
    let all = newest_first(&playbacks, |_| true);
    let wrong = different_pages(app, "/stats/playbacks?limit=1000".to_owned(), &all).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    for dimensions in [
        &[][..],
        &[Dimension::Time(TimeUnit::Day), Dimension::Plan],
        &[Dimension::Track],
    ] {
        let question = Question::of(&METRICS).by(dimensions);
        let wrong = question.differences_of(app, &playbacks).await;
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// An app that caches no answer.
async fn without_cache() -> TestApp {
    alone(&[("CACHE_OPEN_TTL_MS", "0"), ("CACHE_SETTLED_TTL_MS", "0")]).await
}

#[tokio::test]
async fn rows_rolled_up_in_many_steps_equal_those_of_one() {
    let app = without_cache().await;
    let seed = seed();
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let events = generate(seed, 240);
    let partitions = [Partition::of(&app).await, Partition::of(&app).await];
    let mut stored = Vec::new();
    for batch in events.chunks(events.len().div_ceil(STEPS)) {
        // Some earlier events arrive again.
        let again: Vec<Event> = stored.iter().step_by(11).cloned().collect();
        let partition = partitions.choose(&mut random).unwrap();
        partition.store(batch).await;
        partition.store(&again).await;
        partition.record_progress().await;
        app.roll_up().await;
        stored.extend_from_slice(batch);
    }
    assert_eq!(stored.len(), events.len());
    assert_folded(&app, &events).await;
    // Without new events, nothing changes.
    app.roll_up().await;
    assert_folded(&app, &events).await;
}

#[tokio::test]
async fn after_each_step_the_rows_include_everything_stored_before_it() {
    let app = without_cache().await;
    let events = generate(seed(), 60);
    let partition = Partition::of(&app).await;
    let mut stored = Vec::new();
    for batch in events.chunks(events.len().div_ceil(3)) {
        partition.store(batch).await;
        partition.record_progress().await;
        app.roll_up().await;
        stored.extend_from_slice(batch);
        assert_folded(&app, &stored).await;
    }
}

#[tokio::test]
async fn two_rollups_at_once_do_no_harm() {
    let app = without_cache().await;
    let events = generate(seed(), 240);
    let partition = Partition::of(&app).await;
    for batch in events.chunks(events.len().div_ceil(5)) {
        let (some, more) = batch.split_at(batch.len() / 2);
        partition.store(some).await;
        partition.record_progress().await;
        let storing = async {
            partition.store(more).await;
            partition.record_progress().await;
        };
        tokio::join!(app.roll_up(), app.roll_up(), storing);
    }
    tokio::join!(app.roll_up(), app.roll_up());
    assert_folded(&app, &events).await;
}

fn played(playback_id: &str) -> Event {
    event(&json!({
        "type": "ReportProgress", "playback_id": playback_id, "user_id": "u", "track_id": playback_id, "from_ms": 0, "to_ms": 10_000
    }))
}

#[tokio::test]
async fn questions_about_many_wait_until_the_rows_include_the_position() {
    let app = alone(&[
        ("CACHE_OPEN_TTL_MS", "3600000"),
        ("AFTER_MAX_WAIT_MS", "60"),
    ])
    .await;
    let (partition, id) = (Partition::of(&app).await, unique("p"));
    let first = partition.store(&[played(&id)]).await[0];
    partition.record_progress().await;
    let urls = [
        "/stats/report?metrics=played_ms".to_owned(),
        "/stats/top?of=tracks&by=played_ms".to_owned(),
        format!("/stats/track/{id}"),
        format!("/stats/track/{id}/retention"),
        "/stats/user/u".to_owned(),
        "/stats/playbacks".to_owned(),
    ];
    let with_after = |url: &str| {
        let sign = if url.contains('?') { '&' } else { '?' };
        format!("{url}{sign}after={first}")
    };
    // The states include the position, the rows do not.
    eventually("the states include the position", async || {
        let answer = app
            .get(&format!("/stats/playback/{id}?after={first}"))
            .await;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(format!("{answer:?}"))
        }
    })
    .await;
    for url in &urls {
        let answer = app.get(&with_after(url)).await.expect_status(503);
        assert_eq!(answer.header("retry-after"), Some("1"), "{url}");
        let problem = answer.json();
        assert_eq!(problem["type"], "/problems/not-yet-projected", "{url}");
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains(&first.to_string()),
            "{problem}"
        );
    }
    // The cached answer is older than the position; a request with `?after=` does not get it.
    assert_eq!(
        app.get(&urls[0]).await.expect_status(200).json()[0]["played_ms"],
        0
    );
    app.roll_up().await;
    for url in &urls {
        let answer = eventually("the rows include the position", async || {
            let answer = app.get(&with_after(url)).await;
            if answer.status == 200 {
                Ok(answer)
            } else {
                Err(format!("{answer:?}"))
            }
        })
        .await;
        assert!(
            answer.text.contains("10000") || answer.text.contains("\"plays\":1"),
            "{url}: {answer:?}"
        );
    }
}
