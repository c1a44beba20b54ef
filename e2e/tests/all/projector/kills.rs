//! A replay that is killed at any moment, with a live projector or without: the next replay completes, and nothing blocks meanwhile.

use std::process::{Child, Stdio};

use ess_e2e::{TestApp, eventually};
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;
use tokio::task::spawn_blocking;

use super::{append_many, command, projector_alone, stored, text};
use crate::traffic::seed;

/// Records before the first replay.
const BEFORE: usize = 3_000;
/// Records appended after each kill.
const AFTER: usize = 50;

/// When the replay is killed.
#[derive(Debug)]
enum Moment {
    /// Generation 2 has so many rows.
    Filled(u64),
    /// The handover to generation 2 has begun.
    HandedOver,
    /// Generation 2 is active.
    Promoted,
}

#[tokio::test]
async fn a_replay_killed_during_the_build_and_after_the_switch_completes_when_run_again() {
    let app = projector_alone()
        .env("PROJECTOR_BATCH_ROWS", "50")
        .start()
        .await;
    let mut random = ChaCha12Rng::seed_from_u64(seed());
    append_many(&app, "before", BEFORE).await;
    app.wait_until_everything_is_projected().await;

    let filled = Moment::Filled(random.random_range(1..BEFORE as u64));
    killed_at(&app, &filled).await;
    append_many(&app, "filled", AFTER).await;
    app.wait_until_everything_is_projected().await;
    killed_at(&app, &Moment::Promoted).await;
    app.projector.kill().await;
    append_many(&app, "promoted", AFTER).await;
    app.projector.start().await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(app.generation().await, 2);
    assert_eq!(stored(&app).await as usize, BEFORE + 2 * AFTER);

    let next = command(&app.projector, &["replay"]).await;

    assert!(next.status.success(), "{}", text(&next));
    assert_eq!(app.generation().await, 3, "{}", text(&next));
    append_many(&app, "last", AFTER).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await as usize, BEFORE + 3 * AFTER);
}

#[tokio::test]
async fn projectors_return_by_themselves_after_an_abandoned_handover() {
    let app = projector_alone()
        .env("PROJECTOR_HANDOVER_MS", "12000")
        .start()
        .await;
    append_many(&app, "before", 200).await;
    app.wait_until_everything_is_projected().await;
    // A frozen projector does not leave its group, so the switch cannot complete before the replay is killed.
    app.projector.freeze();
    killed_at(&app, &Moment::HandedOver).await;
    assert_eq!(app.generation().await, 1);
    app.projector.thaw();
    append_many(&app, "abandoned", AFTER).await;

    for line in [
        "leaving generation 1 for generation 2",
        "leaving generation 2 for generation 1",
    ] {
        eventually(line, async || {
            let log = app.projector.log();
            log.contains(line)
                .then_some(())
                .ok_or_else(|| app.projector.log_tail())
        })
        .await;
    }
    app.wait_until_everything_is_projected().await;
    assert_eq!(app.generation().await, 1);
    assert_eq!(stored(&app).await as usize, 200 + AFTER);
    let again = command(&app.projector, &["replay"]).await;
    assert!(again.status.success(), "{}", text(&again));
    assert_eq!(app.generation().await, 2, "{}", text(&again));
    append_many(&app, "last", AFTER).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await as usize, 200 + 2 * AFTER);
    assert!(app.dead_letters.records().await.is_empty());
}

#[tokio::test]
async fn events_stored_without_recorded_progress_are_in_the_new_generation_before_the_switch() {
    let app = projector_alone()
        .env("PROJECTOR_HANDOVER_MS", "3000")
        .start()
        .await;
    append_many(&app, "before", 200).await;
    app.wait_until_everything_is_projected().await;
    // A reader may have seen offset 150 of partition 0, which the topic does not have yet.
    let unrecorded =
        "INSERT INTO events (event_id, source, type, occurred_at, ingest_time, partition, offset)
        SELECT 'ahead', 'urn:test', 'Custom', now64(3), now64(3), 0, 150";
    app.execute(unrecorded).await;

    let too_early = command(&app.projector, &["replay"]).await;

    let reason = text(&too_early);
    assert_eq!(too_early.status.code(), Some(1), "{reason}");
    assert!(reason.contains("PROJECTOR_HANDOVER_MS"), "{reason}");
    assert_eq!(app.generation().await, 1, "{reason}");
    append_many(&app, "further", 1_000).await;
    app.wait_until_everything_is_projected().await;
    // The topic has another event at that offset than the inserted one.
    let in_time = command(&app.projector, &["replay", "--accept-differences"]).await;
    assert!(in_time.status.success(), "{}", text(&in_time));
    assert_eq!(app.generation().await, 2);
}

/// Starts a replay and kills it at this moment; a faster replay has already ended.
async fn killed_at(app: &TestApp, moment: &Moment) {
    let mut command = app.projector.command();
    command
        .arg("replay")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut replay: Child = spawn_blocking(move || command.spawn())
        .await
        .unwrap()
        .unwrap();
    eventually(&format!("{moment:?}"), async || {
        is_reached(app, moment).await
    })
    .await;
    replay.kill().unwrap();
    replay.wait().unwrap();
}

async fn is_reached(app: &TestApp, moment: &Moment) -> Result<(), String> {
    let control = app.control_database();
    let (sql, least) = match moment {
        Moment::Filled(rows) => (format!("SELECT count() FROM {control}_g2.events"), *rows),
        Moment::HandedOver => (marked(control, "handover"), 1),
        Moment::Promoted => (marked(control, "active"), 1),
    };
    match app.clickhouse().query(&sql).fetch_one::<u64>().await {
        Ok(count) if count >= least => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn marked(control: &str, state: &str) -> String {
    format!("SELECT count() FROM {control}.generations WHERE generation = 2 AND state = '{state}'")
}
