//! Queries that exceed a limit: they are refused with the limit, and other queries are answered meanwhile.

use ess_e2e::{TestApp, unique};
use ess_schema::Event;
use serde_json::json;

use crate::slow::{running, slow_down, speed_up, until_running};
use crate::stored::{Partition, alone, event};

const QUERY: &str = "events_scan";

/// Events of one playback with this many bytes of data each.
fn events(playback_id: &str, count: usize, bytes: usize) -> Vec<Event> {
    let data = "x".repeat(bytes);
    let one = |_| {
        event(&json!({
            "type": "RecordEvent", "event_type": "Noted", "playback_id": playback_id, "data": data
        }))
    };
    (0..count).map(one).collect()
}

/// Asserts that the query is refused as too expensive and returns the detail.
async fn too_expensive(app: &TestApp, url: &str) -> String {
    let answer = app.get(url).await.expect_status(422);
    assert_eq!(answer.header("retry-after"), None, "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["type"], "/problems/query-too-expensive");
    problem["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_limit_is_named_and_other_queries_are_answered() {
    for (key, value, limit) in [
        ("QUERY_MAX_ROWS_READ", "500", "rows to read"),
        ("QUERY_MAX_BYTES_READ", "3000000", "bytes to read"),
        ("QUERY_MAX_MEMORY_BYTES", "10000000", "memory"),
    ] {
        let app = alone(&[(key, value)]).await;
        let id = unique("p");
        let partition = Partition::of(&app).await;
        partition.store(&events(&id, 1_000, 30_000)).await;
        let detail = too_expensive(&app, "/events?limit=1000").await;
        assert!(detail.contains(limit), "{key}: {detail}");
        let other = app.get(&format!("/stats/playback/{id}")).await;
        assert_eq!(other.expect_status(200).json()["event_count"], 1_000);
    }
}

#[tokio::test]
async fn a_query_past_the_time_limit_is_refused_while_others_are_answered() {
    let app = alone(&[("QUERY_MAX_TIME_MS", "3000")]).await;
    let id = unique("p");
    Partition::of(&app).await.store(&events(&id, 1, 1)).await;
    slow_down(&app, "events", 1_000).await;
    let others = async {
        until_running(&app, QUERY, 1).await;
        let _ = app
            .get(&format!("/stats/playback/{id}"))
            .await
            .expect_status(200);
        assert_eq!(
            running(&app, QUERY).await.len(),
            1,
            "it ended before the others were answered"
        );
    };
    let (detail, ()) = tokio::join!(too_expensive(&app, "/events"), others);
    assert!(detail.contains("the limit of time"), "{detail}");
}

#[tokio::test]
async fn heavy_queries_wait_for_each_other_and_light_ones_do_not() {
    let app: &'static TestApp = Box::leak(Box::new(
        alone(&[
            ("QUERY_HEAVY_CONCURRENCY", "1"),
            ("QUERY_HEAVY_QUEUE", "0"),
            ("QUERY_CONCURRENCY", "1"),
            ("QUERY_QUEUE", "0"),
            ("QUERY_MAX_TIME_MS", "60000"),
            ("CACHE_OPEN_TTL_MS", "0"),
        ])
        .await,
    ));
    let id = unique("p");
    Partition::of(app).await.store(&events(&id, 1, 1)).await;
    slow_down(app, "events", 1_000).await;
    let heavy = tokio::spawn(app.get("/events"));
    until_running(app, QUERY, 1).await;

    let refused = app.get("/events?limit=1").await.expect_status(503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.json()["type"], "/problems/overloaded");
    for _ in 0..10 {
        let _ = app
            .get(&format!("/stats/playback/{id}"))
            .await
            .expect_status(200);
    }
    assert_eq!(running(app, QUERY).await.len(), 1, "the heavy one runs on");

    heavy.abort();
    until_running(app, QUERY, 0).await;
    speed_up(app, "events").await;
    let _ = app.get("/events?limit=1").await.expect_status(200);
}
