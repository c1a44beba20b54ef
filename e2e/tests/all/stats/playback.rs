//! GET /stats/playback/{id}. The tests of its fields are in `aggregates` and `whole_path`.

mod cached;
mod outage;
mod shared;

use ess_e2e::{TestApp, eventually, unique};
use ess_schema::{Event, migrations};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::oracle;
use crate::stored::{Partition, alone, encoded, event, reader};

fn started(playback_id: &str) -> Event {
    event(&json!({
        "type": "StartPlayback", "playback_id": playback_id, "user_id": "u", "track_id": "t", "device": "phone"
    }))
}

fn progressed(playback_id: &str, from_ms: u64) -> Event {
    event(&json!({
        "type": "ReportProgress", "playback_id": playback_id, "user_id": "u", "track_id": "t",
        "from_ms": from_ms, "to_ms": from_ms + 10_000
    }))
}

fn path(playback_id: &str) -> String {
    format!("/stats/playback/{}", encoded(playback_id))
}

/// The number of queries of this name that the read model answered.
async fn queries(app: &TestApp, name: &str) -> u64 {
    let metrics = app.get("/metrics").await.expect_status(200).text;
    let line = format!("ess_query_duration_seconds_count{{query=\"{name}\"}} ");
    let count = metrics.lines().find_map(|found| found.strip_prefix(&line));
    count.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn any_visible_text_is_an_id() {
    let app = reader().await;
    let partition = Partition::of(app).await;
    let special = [
        "'",
        "\\",
        "`\"",
        "'; DROP TABLE events; --",
        "a/b?c=d&e#f",
        "%41",
        "{x:String}",
        "曲-ñ-🎵",
        "..%2F",
    ];
    for text in special {
        let id = unique(&text.replace(' ', "_"));
        let other = unique("other");
        let events = [started(&id), progressed(&id, 0), started(&other)];
        partition.store(&events).await;
        let (_, expected) = oracle::playbacks(&events[..2]).remove(0);
        let differences = oracle::differences(&expected, &app.get(&path(&id)).await);
        assert!(differences.is_empty(), "{id}: {differences:#?}");
        assert_eq!(app.get(&format!("{}/", path(&id))).await.status, 200);
    }
    let longest = "я".repeat(128);
    let unknown = app.get(&path(&longest)).await.expect_status(404).json();
    assert_eq!(unknown["type"], "/problems/not-found");
}

#[tokio::test]
async fn an_invalid_id_is_refused_by_name() {
    let app = reader().await;
    for bad in ["a b", "\0", "\u{7f}", &"a".repeat(129), &"x".repeat(5_000)] {
        let problem = app.get(&path(bad)).await.expect_status(422).json();
        assert_eq!(problem["errors"][0]["pointer"], "{id}", "{problem}");
    }
    for query in [
        "after=7",
        "after=7:1,x",
        "after=",
        "before=7:1",
        "after=7:1&after=7:2",
    ] {
        let answer = app.get(&format!("{}?{query}", path("p"))).await;
        let problem = answer.expect_status(422).json();
        let name = query.split('=').next().unwrap();
        assert_eq!(
            problem["errors"][0]["pointer"],
            format!("?{name}"),
            "{problem}"
        );
    }
    assert_eq!(app.get("/stats/playback/%FF").await.status, 400);
}

#[tokio::test]
async fn a_matching_entity_tag_is_answered_with_304() {
    let app = reader().await;
    let (partition, id) = (Partition::of(app).await, unique("p"));
    partition.store(&[started(&id)]).await;
    let first = app.get(&path(&id)).await.expect_status(200);
    let etag = first.header("etag").unwrap();
    let get = |url: String, tags: String| {
        app.queries()
            .request(Method::GET, &url)
            .header("if-none-match", tags)
    };

    let same = app
        .queries()
        .send(get(path(&id), format!("\"x\", {etag}")))
        .await
        .expect_status(304);
    assert_eq!((same.text.as_str(), same.header("etag")), ("", Some(etag)));
    for header in ["cache-control", "age", "ess-watermark"] {
        assert!(same.header(header).is_some(), "{header}: {same:?}");
    }
    let head = app.queries().request(Method::HEAD, &path(&id));
    assert_eq!(
        app.queries()
            .send(head)
            .await
            .expect_status(200)
            .header("etag"),
        Some(etag)
    );

    let changed = partition.store(&[progressed(&id, 0)]).await[0];
    partition.record_progress().await;
    let url = format!("{}?after={changed}", path(&id));
    let newer = app
        .queries()
        .send(get(url, etag.to_owned()))
        .await
        .expect_status(200);
    assert_ne!(newer.header("etag"), Some(etag));
}

#[tokio::test]
async fn a_reader_waits_for_its_own_write_and_gets_nothing_older() {
    let app = reader().await;
    let (partition, id) = (Partition::of(app).await, unique("p"));
    partition.store(&[started(&id)]).await;
    let before = app.get(&path(&id)).await.expect_status(200).json();
    assert_eq!(before["event_count"], 1);

    // A hundred readers wait for a position before it is stored.
    let awaited = partition.next();
    let url = format!("{}?after={awaited}", path(&id));
    let waiting = join_all((0..100).map(|_| app.get(&url)));
    let store = async {
        partition.store(&[progressed(&id, 0)]).await;
        partition.record_progress().await;
    };
    let (answers, ()) = tokio::join!(waiting, store);
    for answer in answers {
        assert_eq!(answer.expect_status(200).json()["event_count"], 2);
    }
    let cached = app.get(&path(&id)).await.expect_status(200).json();
    assert_eq!(
        cached["event_count"], 2,
        "the newer answer replaces the older in the cache"
    );
}

#[tokio::test]
async fn concurrent_requests_cost_one_query_and_a_missing_position_is_named() {
    let app = alone(&[
        ("CACHE_OPEN_TTL_MS", "3600000"),
        ("AFTER_MAX_WAIT_MS", "50"),
    ])
    .await;
    let (partition, id) = (Partition::of(&app).await, unique("p"));
    partition.store(&[started(&id), progressed(&id, 0)]).await;
    let url = path(&id);
    for answer in join_all((0..300).map(|_| app.get(&url))).await {
        assert_eq!(answer.expect_status(200).json()["event_count"], 2);
    }
    assert_eq!(queries(&app, "playbacks_by_id").await, 1);

    let missing = partition.next();
    let answer = app
        .get(&format!("{url}?after={missing}"))
        .await
        .expect_status(503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    let problem = answer.json();
    assert_eq!(problem["type"], "/problems/not-yet-projected");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.starts_with(&format!("{missing} was not projected within 50 ms")),
        "{detail}"
    );
}

#[tokio::test]
async fn a_promoted_generation_answers_in_place_of_the_one_before() {
    let app = alone(&[("CACHE_OPEN_TTL_MS", "3600000")]).await;
    let id = unique("p");
    Partition::of(&app).await.store(&[started(&id)]).await;
    let old = app.get(&path(&id)).await.expect_status(200);
    assert_eq!(old.json()["event_count"], 1);

    let next = format!("{}_g2", app.control_database());
    let server = app.clickhouse();
    let create = format!("CREATE DATABASE {next}");
    let tables = migrations::GENERATION
        .iter()
        .flat_map(|migration| migration.statements(&next));
    for statement in [create].into_iter().chain(tables) {
        server.query_raw(&statement).execute().await.unwrap();
    }
    let rebuilt = Partition::in_database(&app, &next);
    rebuilt.store(&[started(&id), progressed(&id, 0)]).await;
    let promote = "INSERT INTO generations (generation, state) VALUES (2, 'active')";
    let control = server.with_database(app.control_database());
    control.query(promote).execute().await.unwrap();

    let answer = eventually("the promoted generation answers", async || {
        let answer = app.get(&path(&id)).await;
        let is_new = answer
            .header("ess-watermark")
            .is_some_and(|watermark| watermark.starts_with("generation=2"));
        if is_new {
            Ok(answer)
        } else {
            Err(format!("{answer:?}"))
        }
    });
    assert_eq!(answer.await.json()["event_count"], 2);
    let projection: Value = app.get("/projection").await.expect_status(200).json();
    assert_eq!(projection["generation"], 2);
}

#[tokio::test]
async fn a_settled_playback_is_cached_longer_than_an_open_one() {
    let app = alone(&[
        ("CACHE_SETTLED_TTL_MS", "120000"),
        ("CACHE_OPEN_TTL_MS", "2000"),
    ])
    .await;
    let (partition, id) = (Partition::of(&app).await, unique("p"));
    partition.store(&[started(&id)]).await;
    let playing = app.get(&path(&id)).await.expect_status(200);
    assert_eq!(playing.header("cache-control"), Some("max-age=2"));
    let finished = event(&json!({
        "type": "FinishPlayback", "playback_id": id, "user_id": "u", "track_id": "t", "reason": "stopped"
    }));
    let end = partition.store(&[finished]).await[0];
    partition.record_progress().await;
    let over = app
        .get(&format!("{}?after={end}", path(&id)))
        .await
        .expect_status(200);
    assert_eq!(over.header("cache-control"), Some("max-age=120"));
    assert_eq!(over.json()["state"], "finished");
}
