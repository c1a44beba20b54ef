//! A read model that does not answer: 503 with Retry-After, and nothing is cached.

use std::sync::Arc;

use ess_e2e::{Answer, Parts, TestApp, eventually, unique};
use tokio::task::spawn_blocking;

use super::{path, started};
use crate::slow::{slow_down, speed_up, until_running};
use crate::stored::{Partition, alone};

/// Asserts 503 with Retry-After and without caching headers.
fn assert_unavailable(answer: Answer) {
    let answer = answer.expect_status(503);
    assert_eq!(answer.header("retry-after"), Some("1"), "{answer:?}");
    for header in ["cache-control", "etag", "age"] {
        assert_eq!(answer.header(header), None, "{header}: {answer:?}");
    }
    let problem = answer.json();
    assert_eq!(problem["type"], "/problems/read-model-unavailable");
    let detail = problem["detail"].as_str().unwrap();
    assert!(!detail.contains("DB::Exception"), "{detail}");
}

#[tokio::test]
async fn a_query_that_times_out_or_is_killed_is_503_and_not_cached() {
    let app = alone(&[
        ("QUERY_MAX_TIME_MS", "3000"),
        ("CACHE_OPEN_TTL_MS", "3600000"),
    ])
    .await;
    let id = unique("p");
    Partition::of(&app).await.store(&[started(&id)]).await;
    slow_down(&app, "playbacks_state", 1_000).await;
    assert_unavailable(app.get(&path(&id)).await);

    let kill = async {
        let [query] = &until_running(&app, "playbacks_by_id", 1).await[..] else {
            panic!("not exactly one query");
        };
        app.execute(&format!("KILL QUERY WHERE query_id = '{query}'"))
            .await;
    };
    let url = path(&id);
    let (answer, ()) = tokio::join!(app.get(&url), kill);
    assert_unavailable(answer);

    speed_up(&app, "playbacks_state").await;
    let _ = app.get(&path(&id)).await.expect_status(200);
}

#[tokio::test]
async fn an_unknown_playback_is_not_cached_as_unknown() {
    let app = alone(&[("CACHE_OPEN_TTL_MS", "3600000")]).await;
    let id = unique("p");
    let _ = app.get(&path(&id)).await.expect_status(404);
    Partition::of(&app).await.store(&[started(&id)]).await;
    let _ = app.get(&path(&id)).await.expect_status(200);
}

#[tokio::test]
async fn a_server_that_hangs_or_is_down_is_503_until_it_is_back() {
    let parts = Arc::new(spawn_blocking(Parts::start).await.unwrap());
    let builder = TestApp::builder().parts(Arc::clone(&parts));
    let builder = builder.without_command_api().without_projector();
    let app = builder.env("QUERY_MAX_TIME_MS", "500").start().await;
    let (first, second) = (unique("p"), unique("p"));
    let partition = Partition::of(&app).await;
    partition.store(&[started(&first), started(&second)]).await;

    let silent = Arc::clone(&parts);
    let signal = move |signal: &'static str| {
        let pid = silent.clickhouse(|server| server.pid()).to_string();
        let sent = std::process::Command::new("kill")
            .args([signal, &pid])
            .status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    assert_unavailable(app.get(&path(&second)).await);
    signal("-CONT");
    eventually("a resumed server answers", async || {
        let answer = app.get(&path(&second)).await;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(answer.text)
        }
    })
    .await;

    let gone = Arc::clone(&parts);
    spawn_blocking(move || gone.clickhouse(ess_parts::ClickHouse::kill).unwrap())
        .await
        .unwrap();
    assert_unavailable(app.get(&path(&first)).await);
    spawn_blocking(move || parts.clickhouse(ess_parts::ClickHouse::restart).unwrap())
        .await
        .unwrap();
    eventually("a restarted server answers", async || {
        let answer = app.get(&path(&first)).await;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(answer.text)
        }
    })
    .await;
}
