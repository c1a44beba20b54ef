//! Parameters of GET /events: conditions, invalid values, cursors and positions to wait for.

use ess_e2e::unique;
use serde_json::json;

use super::listed::{ids, newest_first, run};
use crate::stored::{Partition, encoded, event, reader};

#[tokio::test]
async fn every_condition_narrows_the_list() {
    let app = reader().await;
    let (partition, test_id) = (Partition::of(app).await, unique("run"));
    let others = run(&test_id, 4);
    let id = |name: &str| unique(&format!("{name}'\\"));
    let (playback_id, user_id, track_id, source) = (id("p"), id("u"), id("t"), id("s"));
    let mut wanted = event(&json!({
        "type": "PausePlayback", "playback_id": playback_id, "user_id": user_id, "track_id": track_id,
        "source": source, "test_id": test_id, "position_ms": 1
    }));
    wanted.occurred_at = others[0].occurred_at.plus_millis(500);
    partition.store(&others).await;
    partition.store(&[wanted.clone()]).await;
    let (from, to) = (wanted.occurred_at, wanted.occurred_at.plus_millis(1));
    let conditions = [
        ("playback_id", playback_id),
        ("user_id", user_id),
        ("track_id", track_id),
        ("type", "PlaybackPaused".to_owned()),
        ("source", source),
    ];
    let mut queries: Vec<_> = conditions
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    queries.push(format!("from={from}&to={to}"));
    queries.push(queries.join("&"));
    for query in queries {
        let answer = app
            .get(&format!("/events?test_id={test_id}&{query}"))
            .await
            .expect_status(200);
        assert_eq!(ids(&answer.json()), [wanted.id.to_string()], "{query}");
    }
    let before = app
        .get(&format!("/events?test_id={test_id}&to={from}"))
        .await
        .expect_status(200);
    assert_eq!(ids(&before.json()), [others[0].id.to_string()]);
}

#[tokio::test]
async fn every_invalid_parameter_is_named() {
    let app = reader().await;
    for (query, pointer) in [
        ("limit=0", "?limit"),
        ("limit=1001", "?limit"),
        ("limit=ten", "?limit"),
        ("limit=", "?limit"),
        ("offset=-1", "?offset"),
        ("offset=10001", "?offset"),
        ("cursor=e30", "?cursor"),
        ("cursor=%27%20OR%201%3D1", "?cursor"),
        ("from=yesterday", "?from"),
        ("from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z", "?to"),
        ("user_id=", "?user_id"),
        ("user_id=a%20b", "?user_id"),
        ("type=1st", "?type"),
        ("test_id=%00", "?test_id"),
        ("after=7", "?after"),
        ("userid=u", "?userid"),
        ("limit=1&limit=2", "?limit"),
    ] {
        let problem = app
            .get(&format!("/events?{query}"))
            .await
            .expect_status(422)
            .json();
        assert_eq!(problem["type"], "/problems/invalid-query", "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        assert!(
            !problem["errors"][0]["allowed"].as_str().unwrap().is_empty(),
            "{problem}"
        );
    }
    let long = format!("/events?track_id={}", "x".repeat(5_000));
    assert_eq!(app.get(&long).await.status, 422);
}

#[tokio::test]
async fn a_cursor_cannot_be_combined_with_an_offset() {
    let app = reader().await;
    let (partition, test_id) = (Partition::of(app).await, unique("run"));
    partition.store(&run(&test_id, 2)).await;
    let first = app
        .get(&format!("/events?test_id={test_id}&limit=1"))
        .await
        .expect_status(200);
    let next = first.next_page().unwrap();
    assert_eq!(app.get(&next).await.status, 200);
    let problem = app
        .get(&format!("{next}&offset=1"))
        .await
        .expect_status(422)
        .json();
    assert_eq!(problem["errors"][0]["pointer"], "?offset");
}

#[tokio::test]
async fn a_list_includes_the_positions_waited_for() {
    let app = reader().await;
    let (partition, test_id) = (Partition::of(app).await, unique("run"));
    let events = run(&test_id, 3);
    let first = partition.store(&events[..1]).await[0];
    partition.record_progress().await;
    let url = format!("/events?test_id={test_id}");
    assert_eq!(ids(&app.get(&url).await.expect_status(200).json()).len(), 1);
    let awaited = partition.next();
    let store = async {
        partition.store(&events[1..]).await;
        partition.record_progress().await;
    };
    let waiting = format!("{url}&after={first},{awaited}");
    let (answer, ()) = tokio::join!(app.get(&waiting), store);
    assert_eq!(
        ids(&answer.expect_status(200).json()),
        newest_first(&events)
    );
    let by_id = format!("/events/{}?after={awaited}", events[2].id);
    assert_eq!(app.get(&by_id).await.status, 200);
}
