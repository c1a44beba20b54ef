//! Recorded requests of real CloudEvents clients (e2e/tests/clients/), sent byte for byte, except that their time is the present.

use ess_e2e::TestApp;
use jiff::Timestamp;
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// The times in the recordings, without fractions of a second.
const TIMES: [&str; 2] = ["2025-07-23T00:00:00", "2018-04-05T03:56:24"];
const SAGLOPUR: &str = "Sæglópur – \"100%\" café 🎵";

macro_rules! recorded {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../../clients/cloudevents-", $name, ".http")).as_slice())),*]
    };
}

/// Replaces the time in a recording by the present, of the same length.
fn at_present(bytes: &[u8]) -> Vec<u8> {
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let mut bytes = bytes.to_vec();
    for time in TIMES {
        while let Some(at) = bytes.windows(time.len()).position(|w| w == time.as_bytes()) {
            bytes[at..at + time.len()].copy_from_slice(now.as_bytes());
        }
    }
    bytes
}

/// Sends a recording. Returns status and body of the response.
async fn send(app: &TestApp, bytes: &[u8]) -> (u16, Value) {
    let address = app.commands().base();
    let address = address.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    // The connection stays open, so the response ends where its body is complete JSON.
    let mut response = Vec::new();
    loop {
        let mut chunk = [0; 4_096];
        let read = stream.read(&mut chunk).await.unwrap();
        assert_ne!(
            read,
            0,
            "the connection ended: {}",
            String::from_utf8_lossy(&response)
        );
        response.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&response);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str(body)
        {
            let status = head.split(' ').nth(1).unwrap();
            return (status.parse().unwrap(), body);
        }
    }
}

/// Sends a recording. Returns its event in the log.
async fn append(app: &TestApp, name: &str, bytes: &[u8]) -> Value {
    let (status, body) = send(app, &at_present(bytes)).await;
    assert_eq!(status, 202, "{name}: {body}");
    let position: Position = body["position"].as_str().unwrap().parse().unwrap();
    let records = app.topic.records().await;
    let record = records.iter().find(|record| record.position == position);
    event(record.unwrap_or_else(|| panic!("{name}: no record at {position}")))
}

#[tokio::test]
async fn requests_of_the_sdks_are_in_the_log_unchanged() {
    let app = command_api_alone().start().await;
    let track = json!({"track_id": "t-42", "position_ms": 0});
    let titled = json!({"track_id": "t-42", "position_ms": 0, "title": "Тест"});
    for (name, bytes) in recorded![
        "js-10.0.0.binary",
        "js-10.0.0.structured",
        "py-2.2.0.binary",
        "py-2.2.0.structured",
        "py-2.2.0.v1compat.binary.ascii",
        "py-2.2.0.v1compat.structured",
    ] {
        let event = append(&app, name, bytes).await;
        let attribute = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(attribute("id"), "ce-0001", "{name}");
        assert_eq!(attribute("source"), "https://player.example/web", "{name}");
        assert_eq!(attribute("type"), "com.example.playback.started", "{name}");
        assert_eq!(attribute("sessionid"), "sess-1", "{name}");
        let subject = match name {
            "js-10.0.0.binary" | "js-10.0.0.structured" => "plain",
            "py-2.2.0.v1compat.binary.ascii" => "track: 100% \"live\"",
            _ => SAGLOPUR,
        };
        assert_eq!(attribute("subject"), subject, "{name}");
        let data = if name.contains("v1compat") {
            &track
        } else {
            &titled
        };
        assert_eq!(event["data"], *data, "{name}");
    }
}

#[tokio::test]
async fn a_header_that_is_not_utf8_is_a_violation_with_its_pointer() {
    let app = command_api_alone().start().await;
    let [(_, bytes)] = recorded!["py-2.2.0.v1compat.binary.latin1-subject"];
    let (status, problem) = send(&app, &at_present(bytes)).await;
    assert_eq!(status, 422, "{problem}");
    assert_eq!(problem["errors"][0]["pointer"], "/subject", "{problem}");
}

#[tokio::test]
async fn the_cases_of_the_conformance_repository_are_accepted() {
    let app = command_api_alone().start().await;
    let world = json!({"world": "hello"});
    for (name, bytes) in recorded!["conformance.v1", "conformance.v1.2"] {
        let event = append(&app, name, bytes).await;
        assert_eq!(event["id"], "4321-4321-4321", "{name}");
        assert_eq!(event["comexampleextension1"], "value", "{name}");
        assert_eq!(
            event["comexampleextension2"], "{\"othervalue\": 5}",
            "{name}"
        );
        assert_eq!(event["data"], world, "{name}");
    }
    let minimum = recorded![
        "conformance.v1_minimum",
        "conformance.v1_minimum.2",
        "conformance.v1_minimum.3",
        "conformance.v1_minimum.4",
        "conformance.v1_minimum.5",
        "conformance.v1_minimum.6",
    ];
    let data = [
        ("text/plain; charset=us-ascii", json!("Hello, World!\n")),
        ("text/plain; charset=utf-8", json!("Hello, 🌎!\n")),
        ("application/json; charset=utf-8", json!("Hello, 🌎!")),
        (
            "application/json; charset=utf-8",
            json!({"msg": "Hello, 🌎!"}),
        ),
        ("application/json; charset=utf-8", json!(["Hello", "🌎!"])),
        (
            "application/xml; charset=utf-8",
            json!("<msg>Hello, 🌎!</msg>\n"),
        ),
    ];
    for ((name, bytes), (media_type, data)) in minimum.into_iter().zip(data) {
        let event = append(&app, name, bytes).await;
        assert_eq!(event["type"], "io.cloudevents.minimum", "{name}");
        assert_eq!(event["datacontenttype"], media_type, "{name}");
        assert_eq!(event["data"], data, "{name}");
    }
}

#[tokio::test]
async fn an_event_of_2018_is_too_old() {
    let app = command_api_alone().start().await;
    let [(_, bytes)] = recorded!["conformance.v1"];
    let (status, problem) = send(&app, bytes).await;
    assert_eq!(
        (status, &problem["errors"][0]["pointer"]),
        (422, &json!("/time"))
    );
}

#[tokio::test]
async fn a_playback_event_in_binary_mode_is_like_any_other() {
    let app = command_api_alone().start().await;
    let send = async |path: &str, data: Value| {
        let request = app.commands().request(Method::POST, path);
        let headers = [
            ("ce-specversion", "1.0"),
            ("ce-id", "b-1"),
            ("ce-source", "/player"),
            ("ce-type", "PlaybackPaused"),
            ("ce-subject", "p-1"),
        ];
        let request = headers.into_iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        app.commands().send(request.json(&data)).await
    };
    let data = json!({"user_id": "u", "track_id": "t", "position_ms": 1});
    let answer = send("/events", data.clone()).await.expect_status(202);
    assert_eq!(answer.json()["playback_id"], "p-1");
    assert_in_log(&app.topic.records().await, &appended(&answer));
    let answer = send("/events", json!({"user_id": "u"}))
        .await
        .expect_status(422);
    let problem = answer.json();
    let pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["pointer"])
        .collect();
    assert_eq!(pointers, ["/data/track_id", "/data/position_ms"]);
    let _ = send("/commands", data).await.expect_status(415);
}
