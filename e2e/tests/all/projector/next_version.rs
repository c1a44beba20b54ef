//! A version with one more migration: it writes to the existing generation, and its replay adds the column without disturbing
//! readers.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use ess_e2e::TestApp;
use ess_schema::{Event, EventData, migrations::GENERATION};

use super::{
    command,
    replay::{WATCHED, watch},
    text,
};
use crate::traffic::{Traffic, seed, simulated};

#[tokio::test]
async fn the_replay_of_a_later_version_adds_its_column() {
    let (app, seed) = (TestApp::start().await, seed());
    let mut before = simulated(seed, 120);
    let third = before.len() / 3;
    let during = before.split_off(2 * third);
    let on = before.split_off(third);
    let all = [&*before, &*on, &*during].concat();
    let append = async |events| Traffic::new(events, seed).send(&app).await;
    app.wait_until_projected(append(before.clone()).await).await;
    assert_eq!(app.projector.terminate().await, 0);

    let later = app.next_projector();
    later.start().await;
    app.wait_until_projected(append(on).await).await;
    assert_eq!(app.generation().await, 1);
    let change = GENERATION.len() + 1;
    let warning = format!(
        "generation 1 lacks migrations [{change}]; run `projector replay` to build a generation that has them"
    );
    let log = later.log();
    assert_eq!(log.matches(&warning).count(), 1, "{log}");

    let watched = Traffic::new(before, seed).playbacks();
    let watched: Vec<String> = watched
        .iter()
        .take(WATCHED)
        .map(ToString::to_string)
        .collect();
    let done = AtomicBool::new(false);
    let replaying = async {
        let output = command(&later, &["replay"]).await;
        done.store(true, Ordering::Relaxed);
        output
    };
    let (read, sent, output) =
        tokio::join!(watch(&app, &watched, &done), append(during), replaying);
    assert!(output.status.success(), "{}", text(&output));
    assert!(read >= WATCHED, "the reader read only {read} answers");
    assert_eq!(app.generation().await, 2);
    app.wait_until_projected(sent).await;
    let expected = longest_stalls(&all);
    assert!(expected.values().any(|stall| *stall > 0), "nothing stalled");
    assert_eq!(stored_stalls(&app).await, expected);
}

/// The longest stall of each playback, 0 without a stall.
fn longest_stalls(events: &[Event]) -> BTreeMap<String, u64> {
    let mut longest = BTreeMap::new();
    for event in events {
        let Some(playback) = &event.playback_id else {
            continue;
        };
        let stalled = match &event.data {
            EventData::Stalled(stalled) => stalled.stalled_ms,
            _ => 0,
        };
        let known: &mut u64 = longest.entry(playback.to_string()).or_default();
        *known = stalled.max(*known);
    }
    longest
}

async fn stored_stalls(app: &TestApp) -> BTreeMap<String, u64> {
    let sql = "SELECT playback_id, max(longest_stall_ms) AS stall FROM playbacks_state GROUP BY playback_id";
    let rows = app.select(sql).await.into_iter().map(|row| {
        let (playback, stall) = (&row["playback_id"], &row["stall"]);
        (
            playback.as_str().unwrap().to_owned(),
            stall.as_u64().unwrap(),
        )
    });
    rows.collect()
}
