//! A replay killed at whatever moment, with the live projector or without: run again it ends, and nothing is stuck meanwhile.

use std::process::{Child, Stdio};

use ess_e2e::{TestApp, eventually};
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;
use tokio::task::spawn_blocking;

use super::{append_many, command, projector_alone, stored, told};
use crate::traffic::seed;

/// Records in the log before the first replay.
const KEPT: usize = 3_000;
/// Records appended after each kill.
const AFTER: usize = 50;

/// When to kill.
#[derive(Debug)]
enum Moment {
    /// Generation 2 holds so many rows.
    Filled(u64),
    /// Its handover has begun.
    HandedOver,
    /// It has been made the active one.
    Promoted,
}

#[tokio::test]
async fn killed_while_it_fills_and_after_the_switch_it_ends_when_run_again() {
    let app = projector_alone()
        .env("PROJECTOR_BATCH_ROWS", "50")
        .start()
        .await;
    let mut random = ChaCha12Rng::seed_from_u64(seed());
    append_many(&app, "kept", KEPT).await;
    app.wait_until_everything_is_projected().await;

    let filled = Moment::Filled(random.random_range(1..KEPT as u64));
    killed_at(&app, &filled).await;
    append_many(&app, "filled", AFTER).await;
    app.wait_until_everything_is_projected().await;
    killed_at(&app, &Moment::Promoted).await;
    app.projector.kill().await;
    append_many(&app, "promoted", AFTER).await;
    app.projector.start().await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(app.generation().await, 2);
    assert_eq!(stored(&app).await as usize, KEPT + 2 * AFTER);

    let next = command(&app.projector, &["replay"]).await;

    assert!(next.status.success(), "{}", told(&next));
    assert_eq!(app.generation().await, 3, "{}", told(&next));
    append_many(&app, "last", AFTER).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await as usize, KEPT + 3 * AFTER);
}

#[tokio::test]
async fn projectors_go_back_by_themselves_when_a_handover_was_abandoned() {
    let app = projector_alone()
        .env("PROJECTOR_HANDOVER_MS", "12000")
        .start()
        .await;
    append_many(&app, "kept", 200).await;
    app.wait_until_everything_is_projected().await;
    // A member that does not leave: so the switch cannot be over before the replay is killed.
    app.projector.freeze();
    killed_at(&app, &Moment::HandedOver).await;
    assert_eq!(app.generation().await, 1);
    app.projector.thaw();
    append_many(&app, "abandoned", AFTER).await;

    for way in [
        "leaving generation 1 for generation 2",
        "leaving generation 2 for generation 1",
    ] {
        eventually(way, async || {
            let log = app.projector.log();
            log.contains(way)
                .then_some(())
                .ok_or_else(|| app.projector.log_tail())
        })
        .await;
    }
    app.wait_until_everything_is_projected().await;
    assert_eq!(app.generation().await, 1);
    assert_eq!(stored(&app).await as usize, 200 + AFTER);
    let again = command(&app.projector, &["replay"]).await;
    assert!(again.status.success(), "{}", told(&again));
    assert_eq!(app.generation().await, 2, "{}", told(&again));
    append_many(&app, "last", AFTER).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await as usize, 200 + 2 * AFTER);
    assert!(app.dead_letters.records().await.is_empty());
}

#[tokio::test]
async fn what_a_killed_projector_stored_without_recording_it_is_there_before_the_switch() {
    let app = projector_alone()
        .env("PROJECTOR_HANDOVER_MS", "3000")
        .start()
        .await;
    append_many(&app, "kept", 200).await;
    app.wait_until_everything_is_projected().await;
    // A reader has seen offset 150 of partition 0, which the log of this test does not have yet.
    let unrecorded =
        "INSERT INTO events (event_id, source, type, occurred_at, ingest_time, partition, offset)
        SELECT 'ahead', 'urn:test', 'Custom', now64(3), now64(3), 0, 150";
    app.execute(unrecorded).await;

    let too_early = command(&app.projector, &["replay"]).await;

    let reason = told(&too_early);
    assert_eq!(too_early.status.code(), Some(1), "{reason}");
    assert!(reason.contains("PROJECTOR_HANDOVER_MS"), "{reason}");
    assert_eq!(app.generation().await, 1, "{reason}");
    append_many(&app, "further", 1_000).await;
    app.wait_until_everything_is_projected().await;
    let in_time = command(&app.projector, &["replay"]).await;
    assert!(in_time.status.success(), "{}", told(&in_time));
    assert_eq!(app.generation().await, 2);
}

/// Starts a replay and kills it at this moment; one that was faster has ended.
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
