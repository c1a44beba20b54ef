//! The rows that answers about many are read from: made in one step or in many, by one or by two at once, they come to the same;
//! and a reader who asks for a position is answered when they hold it, not before.

use ess_e2e::{TestApp, eventually, unique};
use ess_schema::Event;
use ess_schema::rollup::{Dimension, TimeUnit};
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;
use serde_json::json;

use super::dataset::{playbacks, told};
use super::playbacks::{different_pages, newest_first};
use super::question::{METRICS, Question};
use crate::stored::{Partition, alone, event};
use crate::traffic::seed;

const STEPS: usize = 9;

/// That everything that is told of these events is what the fold says.
async fn hold(app: &TestApp, events: &[Event]) {
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

/// An app that never tells what it told before.
async fn forgetful() -> TestApp {
    alone(&[("CACHE_OPEN_TTL_MS", "0"), ("CACHE_SETTLED_TTL_MS", "0")]).await
}

#[tokio::test]
async fn in_many_steps_it_comes_to_the_same_as_at_once() {
    let app = forgetful().await;
    let seed = seed();
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let events = told(seed, 240);
    let partitions = [Partition::of(&app).await, Partition::of(&app).await];
    let mut stored = Vec::new();
    for batch in events.chunks(events.len().div_ceil(STEPS)) {
        // A part of what came before comes again.
        let again: Vec<Event> = stored.iter().step_by(11).cloned().collect();
        let partition = partitions.choose(&mut random).unwrap();
        partition.store(batch).await;
        partition.store(&again).await;
        partition.tell().await;
        app.roll_up().await;
        stored.extend_from_slice(batch);
    }
    assert_eq!(stored.len(), events.len());
    hold(&app, &events).await;
    // Nothing is new to them, and nothing changes.
    app.roll_up().await;
    hold(&app, &events).await;
}

#[tokio::test]
async fn after_each_step_the_rows_hold_what_was_stored_and_told_before_it() {
    let app = forgetful().await;
    let events = told(seed(), 60);
    let partition = Partition::of(&app).await;
    let mut stored = Vec::new();
    for batch in events.chunks(events.len().div_ceil(3)) {
        partition.store(batch).await;
        partition.tell().await;
        app.roll_up().await;
        stored.extend_from_slice(batch);
        hold(&app, &stored).await;
    }
}

#[tokio::test]
async fn two_who_make_the_rows_at_once_do_no_harm() {
    let app = forgetful().await;
    let events = told(seed(), 240);
    let partition = Partition::of(&app).await;
    for batch in events.chunks(events.len().div_ceil(5)) {
        let (some, more) = batch.split_at(batch.len() / 2);
        partition.store(some).await;
        partition.tell().await;
        let storing = async {
            partition.store(more).await;
            partition.tell().await;
        };
        tokio::join!(app.roll_up(), app.roll_up(), storing);
    }
    tokio::join!(app.roll_up(), app.roll_up());
    hold(&app, &events).await;
}

fn played(playback_id: &str) -> Event {
    event(&json!({
        "type": "ReportProgress", "playback_id": playback_id, "user_id": "u", "track_id": playback_id, "from_ms": 0, "to_ms": 10_000
    }))
}

#[tokio::test]
async fn a_reader_of_many_waits_until_the_rows_hold_its_own_write() {
    let app = alone(&[
        ("CACHE_OPEN_TTL_MS", "3600000"),
        ("AFTER_MAX_WAIT_MS", "60"),
    ])
    .await;
    let (partition, id) = (Partition::of(&app).await, unique("p"));
    let first = partition.store(&[played(&id)]).await[0];
    partition.tell().await;
    let urls = [
        "/stats/report?metrics=played_ms".to_owned(),
        "/stats/top?of=tracks&by=played_ms".to_owned(),
        format!("/stats/track/{id}"),
        format!("/stats/track/{id}/retention"),
        "/stats/user/u".to_owned(),
        "/stats/playbacks".to_owned(),
    ];
    let asked = |url: &str| {
        let sign = if url.contains('?') { '&' } else { '?' };
        format!("{url}{sign}after={first}")
    };
    // The states hold it, the rows do not.
    eventually("the states hold the position", async || {
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
        let answer = app.get(&asked(url)).await.expect_status(503);
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
    // An answer from before is kept; who asks for the position is not told it.
    assert_eq!(
        app.get(&urls[0]).await.expect_status(200).json()[0]["played_ms"],
        0
    );
    app.roll_up().await;
    for url in &urls {
        let answer = eventually("the rows hold the position", async || {
            let answer = app.get(&asked(url)).await;
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
