//! A read model that does not answer: 503 and when to come again, and nothing of it is kept.

use std::sync::Arc;

use ess_e2e::{Answer, Parts, TestApp, eventually, unique};
use tokio::task::spawn_blocking;

use super::{path, started};
use crate::slow::{slow_down, speed_up, until_running};
use crate::stored::{Partition, alone};

/// That the caller is told to come again, and nobody to keep it.
fn put_off(answer: Answer) {
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
async fn a_query_that_takes_too_long_or_is_killed_puts_its_caller_off_and_is_not_kept() {
    let app = alone(&[
        ("QUERY_MAX_TIME_MS", "3000"),
        ("CACHE_OPEN_TTL_MS", "3600000"),
    ])
    .await;
    let id = unique("p");
    Partition::of(&app).await.store(&[started(&id)]).await;
    slow_down(&app, "playbacks_state", 1_000).await;
    put_off(app.get(&path(&id)).await);

    let kill = async {
        let [query] = &until_running(&app, "playbacks_by_id", 1).await[..] else {
            panic!("one query was asked for");
        };
        app.execute(&format!("KILL QUERY WHERE query_id = '{query}'"))
            .await;
    };
    let url = path(&id);
    let (answer, ()) = tokio::join!(app.get(&url), kill);
    put_off(answer);

    speed_up(&app, "playbacks_state").await;
    let _ = app.get(&path(&id)).await.expect_status(200);
}

#[tokio::test]
async fn what_is_unknown_is_not_kept_to_be() {
    let app = alone(&[("CACHE_OPEN_TTL_MS", "3600000")]).await;
    let id = unique("p");
    let _ = app.get(&path(&id)).await.expect_status(404);
    Partition::of(&app).await.store(&[started(&id)]).await;
    let _ = app.get(&path(&id)).await.expect_status(200);
}

#[tokio::test]
async fn a_server_that_is_away_or_silent_puts_callers_off_until_it_is_back() {
    let parts = Arc::new(spawn_blocking(Parts::start).await.unwrap());
    let builder = TestApp::builder().parts(Arc::clone(&parts));
    let builder = builder.without_command_api().without_projector();
    let app = builder.env("QUERY_MAX_TIME_MS", "500").start().await;
    let (kept, asked) = (unique("p"), unique("p"));
    let partition = Partition::of(&app).await;
    partition.store(&[started(&kept), started(&asked)]).await;

    let silent = Arc::clone(&parts);
    let signal = move |signal: &'static str| {
        let pid = silent.clickhouse(|server| server.pid()).to_string();
        let sent = std::process::Command::new("kill")
            .args([signal, &pid])
            .status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    put_off(app.get(&path(&asked)).await);
    signal("-CONT");
    eventually("a server that goes on answers", async || {
        let answer = app.get(&path(&asked)).await;
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
    put_off(app.get(&path(&kept)).await);
    spawn_blocking(move || parts.clickhouse(ess_parts::ClickHouse::restart).unwrap())
        .await
        .unwrap();
    eventually("a server that is back answers", async || {
        let answer = app.get(&path(&kept)).await;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(answer.text)
        }
    })
    .await;
}
