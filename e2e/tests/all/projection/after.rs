//! `?after=p:o` and the watermark behind it: no answer before the rows up to that position are visible, and no wait once the
//! watermark says that they are.

use ess_e2e::{TestApp, unique};
use ess_schema::Position;
use futures::future::join_all;
use serde_json::json;

const WRITERS: usize = 12;
const EACH: usize = 25;

/// Small batches with several in flight, so that rows and watermarks of many batches interleave.
async fn racing() -> TestApp {
    let builder = TestApp::builder().env("PROJECTOR_BATCH_ROWS", "7");
    let builder = builder.env("PROJECTOR_IN_FLIGHT", "4");
    builder.env("PROJECTOR_FLUSH_MS", "1").start().await
}

#[tokio::test]
async fn an_answer_after_a_position_includes_everything_up_to_it_while_writers_race() {
    let app = racing().await;
    let second = app.another_projector();
    second.start().await;
    join_all((0..WRITERS).map(|_| write_and_read(&app))).await;
}

/// Appends the events of one playback and reads each back at once by its position.
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

/// The answer, retried: a busy machine may not project in time for the first request.
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
async fn a_projected_position_is_answered_without_a_projector_and_the_next_one_is_503() {
    let app = TestApp::builder()
        .env("AFTER_MAX_WAIT_MS", "0")
        .start()
        .await;
    let id = unique("p");
    let command =
        json!({"type": "StartPlayback", "playback_id": id, "user_id": "u", "track_id": "t"});
    let position = app.append(&command).await;
    let path = format!("/stats/playback/{id}?after=");
    // Without waiting requests the query-api reads the watermark once a second, and no request may wait here.
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
