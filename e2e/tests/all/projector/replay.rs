//! `projector replay`: what readers see meanwhile, dead letters, interruptions, and verification.

use std::{
    collections::BTreeMap,
    process::{Output, Stdio},
    sync::atomic::{AtomicBool, Ordering},
};

use ess_e2e::{TestApp, eventually};
use tokio::task::spawn_blocking;

use super::{append_many, command, projector_alone, stored, text, untyped};
use crate::{
    oracle,
    rows::assert_rows_are_the_states,
    traffic::{Traffic, seed, simulated},
};

/// Playbacks that the reader requests continuously.
pub(super) const WATCHED: usize = 8;

#[tokio::test]
async fn readers_notice_nothing_of_a_replay_under_live_traffic() {
    let (app, seed) = (TestApp::start().await, seed());
    let mut events = simulated(seed, 120);
    let later = events.split_off(events.len() / 2);
    let before = Traffic::new(events, seed);
    let positions = before.send(&app).await;
    let bad_before = app.topic.append(Some(b"k"), Some(b"before"), &[]).await;
    app.wait_until_projected(positions.into_iter().chain([bad_before]))
        .await;
    let all: Vec<_> = before.events.iter().chain(&later).cloned().collect();
    let expected = oracle::playbacks(&all);
    let watched: Vec<String> = oracle::playbacks(&before.events)
        .iter()
        .take(WATCHED)
        .map(|(id, _)| id.to_string())
        .collect();

    let done = AtomicBool::new(false);
    let traffic = Traffic::new(later, seed);
    let live = async {
        let sent = traffic.send(&app).await;
        let bad = app.topic.append(Some(b"k"), Some(b"during"), &[]).await;
        (sent, bad)
    };
    let replaying = async {
        let output = replay(&app, &[]).await;
        done.store(true, Ordering::Relaxed);
        output
    };
    let (read, (), (sent, bad_during), output) = tokio::join!(
        watch(&app, &watched, &done),
        watch_all(&app, &done),
        live,
        replaying
    );
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(app.generation().await, 2, "{}", text(&output));
    assert!(read >= WATCHED, "the reader read only {read} answers");
    app.wait_until_projected(sent.into_iter().chain([bad_during]))
        .await;
    eventually(
        "every playback of generation 2 equals the oracle's",
        async || {
            for (id, playback) in &expected {
                let answer = app.get(&format!("/stats/playback/{id}")).await;
                let wrong = oracle::differences(playback, &answer);
                if !wrong.is_empty() {
                    return Err(format!("{id}: {wrong:#?}"));
                }
            }
            Ok(())
        },
    )
    .await;
    assert_rows_are_the_states(&app).await;
    let letters = app.dead_letters.records().await;
    let sent_as = |text: &[u8]| {
        let same = letters
            .iter()
            .filter(|letter| letter.payload.as_deref() == Some(text));
        same.count()
    };
    assert_eq!(sent_as(b"before"), 1, "the replay sent a dead letter again");
    assert!(sent_as(b"during") >= 1, "no dead letter was sent");
}

#[tokio::test]
async fn a_killed_replay_continues_and_the_live_projector_is_not_disturbed() {
    let app = projector_alone()
        .env("PROJECTOR_BATCH_ROWS", "100")
        .start()
        .await;
    append_many(&app, "before", 4_000).await;
    app.wait_until_everything_is_projected().await;
    let mut command = app.projector.command();
    command
        .arg("replay")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let mut killed = spawn_blocking(move || command.spawn())
        .await
        .unwrap()
        .unwrap();
    eventually("generation 2 has rows", async || {
        let sql = format!("SELECT count() FROM {}_g2.events", app.control_database());
        match app.clickhouse().query(&sql).fetch_one::<u64>().await {
            Ok(rows) if rows > 0 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    append_many(&app, "meanwhile", 100).await;

    let output = replay(&app, &[]).await;

    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(app.generation().await, 2);
    append_many(&app, "afterwards", 100).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, 4_200);
}

#[tokio::test]
async fn a_generation_that_lacks_events_is_not_promoted_and_can_be_discarded() {
    let app = projector_alone().start().await;
    append_many(&app, "before", 200).await;
    app.wait_until_everything_is_projected().await;
    let built = replay(&app, &["--no-promote"]).await;
    assert!(built.status.success(), "{}", text(&built));
    assert_eq!(app.generation().await, 1);
    let truncate = format!(
        "TRUNCATE TABLE {}_g2.event_identities",
        app.control_database()
    );
    app.clickhouse().query(&truncate).execute().await.unwrap();

    let refused = replay(&app, &[]).await;

    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(
        text(&refused).contains("is not promoted"),
        "{}",
        text(&refused)
    );
    assert_eq!(app.generation().await, 1);
    let discarded = replay(&app, &["--discard"]).await;
    assert!(discarded.status.success(), "{}", text(&discarded));
    let again = replay(&app, &[]).await;
    assert!(again.status.success(), "{}", text(&again));
    assert_eq!(
        app.generation().await,
        3,
        "the number of a discarded generation was reused"
    );
    let bad = app
        .topic
        .append(None, Some(untyped("last").as_bytes()), &[])
        .await;
    app.wait_until_projected([bad]).await;
    assert_eq!(stored(&app).await, 201);
}

#[tokio::test]
async fn a_generation_with_a_wrong_aggregate_is_not_promoted_unless_that_is_accepted() {
    let app = projector_alone().start().await;
    append_many(&app, "before", 200).await;
    app.wait_until_everything_is_projected().await;
    let built = replay(&app, &["--no-promote"]).await;
    assert!(built.status.success(), "{}", text(&built));
    assert!(
        text(&built).contains("aggregates of 200 playbacks"),
        "{}",
        text(&built)
    );
    let rows = app.select("SELECT min(playback_id) AS id FROM playbacks_state");
    let id = rows.await[0]["id"].as_str().unwrap().to_owned();
    let wrong = format!(
        "INSERT INTO {}_g2.playbacks_state (playback_id, first_event_at, last_event_at, max_position_ms) \
         SELECT '{id}', first_event_at, last_event_at, 987654 FROM {}_g1.playbacks_state WHERE playback_id = '{id}'",
        app.control_database(),
        app.control_database()
    );
    app.clickhouse().query(&wrong).execute().await.unwrap();

    let refused = replay(&app, &[]).await;

    let reason = text(&refused);
    assert_eq!(refused.status.code(), Some(1), "{reason}");
    assert!(
        reason.contains(&format!("playback {id}, column max_position_ms")),
        "{reason}"
    );
    assert!(reason.contains("987654"), "{reason}");
    assert!(reason.contains("1 value(s)"), "{reason}");
    assert_eq!(app.generation().await, 1, "{reason}");
    let accepted = replay(&app, &["--accept-differences"]).await;
    assert!(accepted.status.success(), "{}", text(&accepted));
    assert_eq!(app.generation().await, 2, "{}", text(&accepted));
}

/// Requests these playbacks continuously: each answer is 200, and no value decreases. Returns the number of answers.
pub(super) async fn watch(app: &TestApp, playbacks: &[String], done: &AtomicBool) -> usize {
    let (mut seen, mut read) = (BTreeMap::<&str, [u64; 2]>::new(), 0);
    while !done.load(Ordering::Relaxed) {
        for id in playbacks {
            let answer = app
                .get(&format!("/stats/playback/{id}"))
                .await
                .expect_status(200);
            let json = answer.json();
            let now = ["event_count", "played_ms"].map(|field| json[field].as_u64().unwrap());
            let before = seen.insert(id, now).unwrap_or_default();
            assert!(
                now[0] >= before[0] && now[1] >= before[1],
                "{id}: {now:?} after {before:?}"
            );
            read += 1;
        }
    }
    read
}

/// Requests a report over all playbacks continuously: each answer is 200, and no value decreases.
pub(super) async fn watch_all(app: &TestApp, done: &AtomicBool) {
    let mut before = [0; 2];
    while !done.load(Ordering::Relaxed) {
        let path = "/stats/report?metrics=attempts,played_ms";
        let row = app.get(path).await.expect_status(200).json()[0].take();
        let now = ["attempts", "played_ms"].map(|field| row[field].as_u64().unwrap());
        assert!(
            now[0] >= before[0] && now[1] >= before[1],
            "{now:?} after {before:?}"
        );
        before = now;
    }
}

pub(super) async fn replay(app: &TestApp, options: &[&str]) -> Output {
    command(&app.projector, &[&["replay"], options].concat()).await
}
