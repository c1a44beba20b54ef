//! `?after=p:o` against the watermark it rests on: never an answer before the rows up to there are visible, and no waiting
//! once they are told to be.

use ess_e2e::{TestApp, unique};
use ess_schema::Position;
use futures::future::join_all;
use serde_json::json;

const WRITERS: usize = 12;
const EACH: usize = 25;

/// Small batches, several in flight and two projectors, so that rows and watermarks of many batches cross.
async fn racing() -> TestApp {
    let builder = TestApp::builder().env("PROJECTOR_BATCH_ROWS", "7");
    let builder = builder.env("PROJECTOR_IN_FLIGHT", "4");
    builder.env("PROJECTOR_FLUSH_MS", "1").start().await
}

#[tokio::test]
async fn an_answer_after_a_position_holds_everything_up_to_it_however_writers_race() {
    let app = racing().await;
    let second = app.another_projector();
    second.start().await;
    join_all((0..WRITERS).map(|_| write_and_read(&app))).await;
}

/// One playback's events, each read back at once by the position that its write was answered with.
async fn write_and_read(app: &TestApp) {
    let id = unique("p");
    for written in 1..=EACH {
        let from = written * 1_000;
        let command = json!({
            "type": "ReportProgress", "playback_id": id, "user_id": "u", "track_id": "t",
            "from_ms": from, "to_ms": from + 1_000
        });
        let position = app.append(&command).await;
        let playback = after(app, &format!("/stats/playback/{id}?after={position}")).await;
        assert_eq!(playback["event_count"], written, "{id} after {position}");
        assert_eq!(playback["played_ms"], written * 1_000);
        let path = format!("/events?playback_id={id}&limit=1000&after={position}");
        let listed = after(app, &path).await;
        assert_eq!(
            listed.as_array().unwrap().len(),
            written,
            "{id} after {position}"
        );
    }
}

/// The answer; on a busy machine it may take more than one question.
async fn after(app: &TestApp, path: &str) -> serde_json::Value {
    ess_e2e::eventually("it is projected", async || {
        let answer = app.get(path).await;
        if answer.status == 503 {
            assert_eq!(
                answer.json()["type"],
                "/problems/not-yet-projected",
                "{answer:?}"
            );
            return Err(answer.text);
        }
        Ok(answer.expect_status(200).json())
    })
    .await
}

#[tokio::test]
async fn what_is_projected_is_answered_though_nothing_moves_and_what_is_not_is_refused() {
    let app = TestApp::builder()
        .env("AFTER_MAX_WAIT_MS", "0")
        .start()
        .await;
    let id = unique("p");
    let command =
        json!({"type": "StartPlayback", "playback_id": id, "user_id": "u", "track_id": "t"});
    let position = app.append(&command).await;
    let path = format!("/stats/playback/{id}?after=");
    // The query-api looks once a second while nobody waits, and nobody may wait here.
    after(&app, &format!("{path}{position}")).await;
    assert_eq!(app.projector.terminate().await, 0);
    let answer = app.get(&format!("{path}{position}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let next = Position {
        offset: position.offset + 1,
        ..position
    };
    let refused = app.get(&format!("{path}{next}")).await.expect_status(503);
    assert_eq!(refused.json()["type"], "/problems/not-yet-projected");
}
