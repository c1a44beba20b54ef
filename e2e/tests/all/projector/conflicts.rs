//! Different messages under one identity: which one is listed, which values the playback gets, and that they are counted.

use ess_e2e::{TestApp, eventually};
use ess_schema::Timestamp;
use serde_json::{Value, json};

use super::replay::replay;
use crate::oracle::now;

/// Ten seconds ago, in ms.
fn earlier() -> Timestamp {
    now().plus_millis(-10_000)
}

/// A progress event of playback `p-1` from 0 to `to_ms`.
fn progressed(id: &str, time: Timestamp, to_ms: u64) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "elsewhere", "type": "PlaybackProgressed", "subject": "p-1",
        "time": time.to_string(), "data": {"user_id": "u1", "track_id": "t1", "from_ms": 0, "to_ms": to_ms}
    })
}

/// Appends events to the playback's partition, in this order, and waits until they are projected.
async fn append(app: &TestApp, events: &[&Value]) {
    for event in events {
        let text = event.to_string();
        app.topic
            .append(Some(b"p-1"), Some(text.as_bytes()), &[])
            .await;
    }
    app.wait_until_everything_is_projected().await;
}

/// The conflicts that `/projection` reports once it has counted the events stored now.
async fn conflicts(app: &TestApp) -> u64 {
    let clock = app.select("SELECT formatDateTime(now64(3), '%Y-%m-%dT%H:%i:%S.%fZ') AS now");
    let stored = clock.await[0]["now"].as_str().unwrap().to_owned();
    let generation = app.generation().await;
    eventually("the conflicts are counted again", async || {
        let projection = app.get("/projection").await.expect_status(200).json();
        let counted_at = projection["conflicts_counted_at"]
            .as_str()
            .unwrap_or_default();
        let is_fresh = projection["generation"] == generation && *counted_at > *stored;
        is_fresh
            .then(|| projection["conflicting_identities"].as_u64().unwrap())
            .ok_or_else(|| projection.to_string())
    })
    .await
}

#[tokio::test]
async fn different_messages_under_one_identity_are_counted_and_repetitions_are_not() {
    let app = TestApp::builder().without_command_api().start().await;
    let time = earlier();
    let repeated = progressed("repeated", time, 100);
    let beside = [1_000, 4_000].map(|ms| progressed("beside", time, ms));
    let apart = [20_000, 10_000].map(|ms| progressed("apart", time, ms));
    let moved = [0, -500].map(|ms| progressed("moved", time.plus_millis(ms), 300));
    append(&app, &[&repeated, &repeated, &apart[0], &moved[0]]).await;
    assert_eq!(conflicts(&app).await, 0);
    append(&app, &[&beside[0], &beside[1], &beside[0]]).await;
    assert_eq!(conflicts(&app).await, 1);

    app.projector.kill().await;
    app.projector.start().await;
    append(&app, &[&repeated, &apart[1], &moved[1]]).await;

    assert_eq!(conflicts(&app).await, 3);
    for listed in [&repeated, &beside[0], &apart[0], &moved[0]] {
        let id = listed["id"].as_str().unwrap();
        let found = app.get(&format!("/events/{id}")).await.expect_status(200);
        assert!(
            found.text.contains(&listed["data"].to_string())
                && found.text.contains(listed["time"].as_str().unwrap()),
            "{id}: {}",
            found.text
        );
    }
    let playback = app
        .get("/stats/playback/p-1")
        .await
        .expect_status(200)
        .json();
    assert_eq!(playback["event_count"], 4);
    assert_eq!(playback["played_ms"], 100 + 4_000 + 20_000 + 300);

    let output = replay(&app, &[]).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(app.generation().await, 2);
    assert_eq!(conflicts(&app).await, 3);
}
