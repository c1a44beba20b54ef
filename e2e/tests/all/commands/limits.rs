//! Every limit of a request, set low: exceeding it has its status, and appends nothing.

use std::time::Duration;

use ess_e2e::eventually;
use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

async fn with_low_limits() -> TestApp {
    command_api_alone()
        .env("ITEM_MAX_BYTES", "1024")
        .env("ITEM_MAX_NESTING", "4")
        .env("REQUEST_MAX_BYTES", "4096")
        .env("REQUEST_MAX_ITEMS", "3")
        .env("REQUEST_READ_TIMEOUT_MS", "500")
        .env("HTTP_MAX_HEADER_BYTES", "1024")
        .env("HTTP_HEADER_TIMEOUT_MS", "1000")
        .env("HTTP_MAX_CONNECTIONS", "20")
        .start()
        .await
}

/// A connection that has sent `bytes`.
async fn connect(app: &TestApp, bytes: &str) -> TcpStream {
    let address = app.commands().base().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

/// Reads until the server closes the connection.
async fn read_to_end(mut stream: TcpStream) -> String {
    let mut text = String::new();
    let read = stream.read_to_string(&mut text);
    let read = timeout(Duration::from_secs(30), read).await;
    read.expect("the connection is closed").unwrap();
    text
}

fn padded(bytes: usize) -> Value {
    let mut command = progress("padded");
    command["x"] = "a".repeat(bytes).into();
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_of_a_body_has_its_status() {
    let app = with_low_limits().await;
    let deep = |id| {
        let mut command = progress(id);
        command["x"] = json!([[[[1]]]]);
        command
    };
    let four: Vec<_> = ["1", "2", "3", "4"].map(progress).into();
    for (body, status, kind) in [
        (padded(1_024), 413, "too-large"),
        (
            json!([padded(2_000), padded(2_000), padded(2_000)]),
            413,
            "too-large",
        ),
        (json!(four), 413, "too-large"),
        (deep("d"), 422, "invalid-item"),
    ] {
        let answer = app.post_command(&body).await;
        let answer = answer.expect_status(status);
        assert_eq!(answer.json()["type"], format!("/problems/{kind}"));
    }
    let mixed = json!([padded(1_024), deep("d"), progress("valid")]);
    let mixed = app.post_command(&mixed).await.expect_status(207);
    let statuses: Vec<_> = mixed.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["problem"]["status"].clone())
        .collect();
    assert_eq!(statuses, [json!(413), json!(422), Value::Null]);
    let records = app.topic.records().await;
    assert_eq!(records.len(), 1, "only the valid item is in the log");
    assert_eq!(event(&records[0])["id"], "valid");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_large_requests_and_too_many_connections_are_rejected() {
    let app = with_low_limits().await;
    let head = "POST /commands HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let slow_body = connect(&app, &format!("{head}content-length: 100\r\n\r\n{{")).await;
    let slow_head = connect(&app, head).await;
    let silent = connect(&app, "").await;
    let text = read_to_end(slow_body).await;
    assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
    assert!(text.contains("/problems/request-timeout"), "{text}");
    assert_eq!(read_to_end(slow_head).await, "");
    assert_eq!(read_to_end(silent).await, "");

    let request = app.commands().request(Method::GET, "/");
    let large = request.header("x-large", "a".repeat(1_024));
    let answer = app.commands().send(large).await.expect_status(431);
    assert_eq!(answer.json()["type"], "/problems/headers-too-large");

    // A slow head keeps its connection for at most a second. Meanwhile, others get 503.
    let mut connections = Vec::new();
    for _ in 0..20 {
        connections.push(connect(&app, head).await);
    }
    let rejected = eventually("a connection is rejected", async || {
        let answer = app
            .commands()
            .try_send(app.commands().request(Method::GET, "/"))
            .await;
        match answer {
            Ok(answer) if answer.status == 503 => Ok(answer),
            other => {
                connections.push(connect(&app, head).await);
                Err(format!("{other:?}"))
            }
        }
    });
    let rejected = rejected.await;
    assert_eq!(rejected.headers["retry-after"], "1");
    assert_eq!(rejected.json()["type"], "/problems/overloaded");
    drop(connections);
    eventually("connections are accepted again", async || {
        let answer = app
            .commands()
            .try_send(app.commands().request(Method::GET, "/"))
            .await;
        answer.and_then(|answer| match answer.status {
            200 => Ok(()),
            status => Err(status.to_string()),
        })
    })
    .await;
}
