//! `projector generations`, `promote` and `retire`: what readers see during a switch, refusals, and what is left afterwards.

use std::sync::atomic::{AtomicBool, Ordering};

use ess_e2e::{TestApp, eventually};
use serde_json::Value;

use super::{append_many, command, projector_alone, replay::watch, stored, text};
use crate::{
    oracle,
    traffic::{Traffic, seed, simulated},
};

const PLAYBACKS: u64 = 120;
/// Playbacks that the reader requests continuously.
const WATCHED: usize = 8;

#[tokio::test]
async fn readers_notice_nothing_of_a_switch_back_and_forth_under_live_traffic() {
    let (app, seed) = (TestApp::start().await, seed());
    let mut events = simulated(seed, PLAYBACKS);
    let later = events.split_off(events.len() / 3);
    let before = Traffic::new(events, seed);
    app.wait_until_projected(before.send(&app).await).await;
    succeeds(&app, &["replay"]).await;
    let traffic = Traffic::new(later, seed);
    let all: Vec<_> = [&*before.events, &*traffic.events].concat();
    let watched = oracle::playbacks(&before.events);
    let watched: Vec<String> = watched
        .iter()
        .take(WATCHED)
        .map(|(id, _)| id.to_string())
        .collect();

    let (half, done) = (traffic.requests.len() / 2, AtomicBool::new(false));
    let back = async { traffic.send_some(&app, ..half).await };
    let forth = async { traffic.send_some(&app, half..).await };
    let switching = async {
        let (sent_back, ()) = tokio::join!(back, promoted(&app, 1));
        let (sent_forth, ()) = tokio::join!(forth, promoted(&app, 2));
        done.store(true, Ordering::Relaxed);
        [sent_back, sent_forth].concat()
    };
    let (read, sent) = tokio::join!(watch(&app, &watched, &done), switching);

    assert!(read >= WATCHED, "the reader read only {read} answers");
    app.wait_until_projected(sent).await;
    let expected = oracle::playbacks(&all);
    eventually("every playback equals the oracle's", async || {
        for (id, playback) in &expected {
            let answer = app.get(&format!("/stats/playback/{id}")).await;
            let wrong = oracle::differences(playback, &answer);
            if !wrong.is_empty() {
                return Err(format!("{id}: {wrong:#?}"));
            }
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn generations_are_listed_refused_and_retired() {
    let app = projector_alone().start().await;
    append_many(&app, "before", 200).await;
    app.wait_until_everything_is_projected().await;
    refused(&app, &["promote", "1"], "is already active").await;
    refused(&app, &["retire", "1"], "is active, so readers use it").await;
    succeeds(&app, &["replay", "--no-promote"]).await;
    for command in ["promote", "retire"] {
        refused(&app, &[command, "2"], "is not finished").await;
        refused(&app, &[command, "7"], "unknown generation 7").await;
    }
    succeeds(&app, &["replay", "--discard"]).await;
    for command in ["promote", "retire"] {
        refused(&app, &[command, "2"], "was discarded at").await;
    }
    succeeds(&app, &["replay"]).await;
    let listed = generations(&app).await;
    let states = listed.iter().map(|each| each["state"].as_str().unwrap());
    assert!(states.eq(["standby", "discarded", "active"]), "{listed:#?}");
    for generation in [&listed[0], &listed[2]] {
        assert_eq!(generation["events"], 200, "{generation}");
        assert_eq!(generation["playbacks"], 200, "{generation}");
        assert_eq!(generation["messages_behind"], 0, "{generation}");
        assert!(
            generation["bytes_on_disk"].as_u64() > Some(0),
            "{generation}"
        );
        assert!(
            generation["schema_change"].as_u64() > Some(0),
            "{generation}"
        );
    }
    assert_eq!(listed[2]["consumer_group"], app.group().await.as_str());
    assert_eq!(listed[2]["consumers"], 1, "{listed:#?}");
    let table = succeeds(&app, &["generations"]).await;
    assert!(table.contains("standby"), "{table}");

    let freed = succeeds(&app, &["retire", "1"]).await;

    assert!(freed.contains("on disk freed"), "{freed}");
    let retired = &generations(&app).await[0];
    assert_eq!(retired["state"], "retired", "{retired}");
    assert_eq!(retired["bytes_on_disk"], 0, "{retired}");
    let offsets = app.projector.setting("PROJECTOR_GROUP");
    let offsets = app.topic.committed_offsets(&format!("{offsets}-g1")).await;
    assert!(offsets.is_empty(), "{offsets:?}");
    for command in ["promote", "retire"] {
        refused(&app, &[command, "1"], "was retired at").await;
    }
    append_many(&app, "afterwards", 10).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, 210);
}

async fn promoted(app: &TestApp, generation: u32) {
    let output = succeeds(app, &["promote", &generation.to_string()]).await;
    assert_eq!(app.generation().await, generation, "{output}");
}

async fn succeeds(app: &TestApp, arguments: &[&str]) -> String {
    let output = command(&app.projector, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    text(&output)
}

/// Runs a command that exits 1 with this reason.
async fn refused(app: &TestApp, arguments: &[&str], reason: &str) {
    let output = command(&app.projector, arguments).await;
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
    assert!(text.contains(reason), "{arguments:?}: {text}");
}

async fn generations(app: &TestApp) -> Vec<Value> {
    let output = command(&app.projector, &["generations", "--json"]).await;
    assert!(output.status.success(), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}
