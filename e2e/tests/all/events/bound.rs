//! Parameters are bound as values: they match events with that value, match nothing, or are refused by name. They never become
//! part of the SQL.

use ess_e2e::{Answer, TestApp, unique};
use ess_schema::Event;
use reqwest::Method;
use serde_json::json;

use super::listed::{ids, newest_first, run};
use crate::stored::{Partition, encoded, event, reader};

/// Valid ids whose text is special in SQL, in a URL or in a template.
const SPECIAL_TEXTS: [&str; 22] = [
    "'",
    "\"",
    "`",
    "\\",
    "\\'",
    "\\\\",
    "''",
    "%27",
    "%00",
    "%2527",
    "$1",
    "?",
    "{user_id:String}",
    "#",
    "&limit=1000",
    "--",
    "/*",
    "x'OR'1'='1",
    "x'/**/OR/**/1=1--",
    "x\\'/**/OR/**/1=1--",
    "';DROP/**/TABLE/**/events;--",
    "'||(SELECT/**/id/**/FROM/**/events/**/LIMIT/**/1)||'",
];

/// Invalid ids: with white space or control characters, empty or too long.
fn invalid() -> Vec<String> {
    let fixed = [
        "",
        " ",
        "a b",
        "\0",
        "e1\0",
        "a\nb",
        "\u{7f}",
        "\u{a0}",
        "x' OR 1=1 --",
    ];
    fixed
        .into_iter()
        .map(str::to_owned)
        .chain(["x".repeat(5_000), "'".repeat(5_000), "\\".repeat(5_000)])
        .collect()
}

const TEXTS: [&str; 5] = ["playback_id", "user_id", "track_id", "test_id", "source"];
const OTHERS: [&str; 7] = ["type", "from", "to", "limit", "offset", "cursor", "after"];

async fn list(app: &TestApp, parameter: &str, value: &str) -> Answer {
    app.get(&format!("/events?{parameter}={}", encoded(value)))
        .await
}

/// Asserts that the problem names this parameter and what is allowed.
fn assert_refused(answer: Answer, pointer: &str) {
    let problem = answer.expect_status(422).json();
    assert_eq!(problem["type"], "/problems/invalid-query", "{problem}");
    let error = &problem["errors"][0];
    assert_eq!(error["pointer"], pointer, "{problem}");
    assert!(!error["allowed"].as_str().unwrap().is_empty(), "{problem}");
}

/// An event whose ids, source and test_id all begin with this text and are unique.
fn with_text(text: &str) -> Event {
    let own = || unique(text);
    event(&json!({
        "type": "PausePlayback", "event_id": own(), "playback_id": own(), "user_id": own(), "track_id": own(), "test_id": own(),
        "source": own(), "position_ms": 1
    }))
}

/// The values of the parameters in `TEXTS`.
fn values_of(event: &Event) -> [String; 5] {
    let (play, playback) = (
        event.data.play().unwrap(),
        event.playback_id.as_ref().unwrap(),
    );
    [
        playback.to_string(),
        play.user_id.to_string(),
        play.track_id.to_string(),
        event.test_id.as_ref().unwrap().to_string(),
        event.source.to_string(),
    ]
}

#[tokio::test]
async fn a_text_matches_events_with_it_and_no_others() {
    let app = reader().await;
    let partition = Partition::of(app).await;
    let events: Vec<_> = SPECIAL_TEXTS.into_iter().map(with_text).collect();
    partition.store(&events).await;
    for event in &events {
        for (parameter, value) in TEXTS.into_iter().zip(values_of(event)) {
            let found = list(app, parameter, &value).await.expect_status(200).json();
            assert_eq!(ids(&found), [event.id.to_string()], "{parameter}={value}");
        }
        let id = encoded(event.id.as_str());
        let found = app
            .get(&format!("/events/{id}"))
            .await
            .expect_status(200)
            .json();
        assert_eq!(ids(&found), [event.id.to_string()]);
    }
}

#[tokio::test]
async fn an_unknown_text_matches_nothing() {
    let app = reader().await;
    let (partition, test_id) = (Partition::of(app).await, unique("run"));
    let events = run(&test_id, 3);
    partition.store(&events).await;
    for text in SPECIAL_TEXTS {
        for parameter in ["playback_id", "user_id", "track_id", "source"] {
            let narrowed = format!("/events?test_id={test_id}&{parameter}={}", encoded(text));
            assert_eq!(
                app.get(&narrowed).await.expect_status(200).text,
                "[]",
                "{narrowed}"
            );
        }
        assert_eq!(
            list(app, "test_id", text).await.expect_status(200).text,
            "[]",
            "{text}"
        );
        assert_eq!(
            app.get(&format!("/events/{}", encoded(text))).await.status,
            404,
            "{text}"
        );
    }
    // Not percent-encoded, but values all the same.
    for raw in ["%", "%zz", "'", "\\", "`", "{user_id:String}", "%25%32%37"] {
        let narrowed = format!("/events?test_id={test_id}&user_id={raw}");
        assert_eq!(
            app.get(&narrowed).await.expect_status(200).text,
            "[]",
            "{raw}"
        );
    }
    let all = app
        .get(&format!("/events?test_id={test_id}&user_id=u"))
        .await
        .expect_status(200);
    assert_eq!(ids(&all.json()), newest_first(&events));
}

#[tokio::test]
async fn an_invalid_id_is_refused_by_name() {
    let app = reader().await;
    for text in invalid() {
        for parameter in TEXTS {
            assert_refused(list(app, parameter, &text).await, &format!("?{parameter}"));
        }
        if !text.is_empty() {
            assert_refused(
                app.get(&format!("/events/{}", encoded(&text))).await,
                "{id}",
            );
        }
    }
    assert_eq!(
        app.get("/events/%FF").await.expect_status(400).json()["type"],
        "/problems/bad-request"
    );
}

#[tokio::test]
async fn an_invalid_type_time_number_or_position_is_refused_by_name() {
    let app = reader().await;
    for text in invalid().iter().map(String::as_str).chain(SPECIAL_TEXTS) {
        for parameter in OTHERS {
            assert_refused(list(app, parameter, text).await, &format!("?{parameter}"));
        }
        assert_refused(
            app.get(&format!("/events/e1?after={}", encoded(text)))
                .await,
            "?after",
        );
    }
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_by_name() {
    let app = reader().await;
    for name in SPECIAL_TEXTS
        .into_iter()
        .chain(["a b", "\0", "1=1", "limit\0", "Limit"])
    {
        for path in ["/events", "/events/e1"] {
            let url = format!("{path}?{}=1", encoded(name));
            assert_refused(app.get(&url).await, &format!("?{name}"));
        }
    }
}

#[tokio::test]
async fn all_errors_are_reported_at_once() {
    let app = reader().await;
    let query = TEXTS
        .iter()
        .chain(&OTHERS)
        .map(|name| format!("{name}=%00"))
        .collect::<Vec<_>>()
        .join("&");
    let problem = app
        .get(&format!("/events?{query}&x=1"))
        .await
        .expect_status(422)
        .json();
    let mut reported: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    let mut given: Vec<_> = TEXTS
        .iter()
        .chain(&OTHERS)
        .map(|name| format!("?{name}"))
        .collect();
    given.push("?x".to_owned());
    given.sort();
    reported.sort_unstable();
    assert_eq!(reported, given);
}

#[tokio::test]
async fn headers_are_values_too() {
    let app = reader().await;
    let (partition, test_id) = (Partition::of(app).await, unique("run"));
    let events = run(&test_id, 1);
    partition.store(&events).await;
    for text in SPECIAL_TEXTS {
        let url = format!("/events?test_id={test_id}");
        let request = app
            .queries()
            .request(Method::GET, &url)
            .header("if-none-match", text);
        let answer = app.queries().send(request).await.expect_status(200);
        assert_eq!(ids(&answer.json()), newest_first(&events), "{text}");
    }
}
