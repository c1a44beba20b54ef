//! The routes with a fake producer: shapes and errors. The end-to-end tests use a real broker.

mod commands;
mod documented;
mod events;
mod service;
mod unavailable;

use std::{
    collections::VecDeque,
    sync::{LazyLock, Mutex},
};

use ess_schema::{Event, Position};
use ess_service::{
    health::Health,
    http::{self, Edge},
    telemetry::{self, Metrics},
};
use futures::{FutureExt, future::BoxFuture};
use poem::{
    Endpoint,
    http::StatusCode,
    test::{TestClient, TestResponse},
};
use serde_json::{Value, json};

use super::*;
use crate::{config::tests::read, kafka::append::Outcome};

/// Appends everything, at positions 7:0, 7:1 …, except for the outcomes in `next_outcomes`.
#[derive(Default)]
struct FakeProducer {
    appended: Mutex<Vec<(String, Value)>>,
    next_outcomes: Mutex<VecDeque<Outcome>>,
}

impl Append for FakeProducer {
    fn append<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Vec<Outcome>> {
        let mut appended = self.appended.lock().unwrap();
        let mut next_outcomes = self.next_outcomes.lock().unwrap();
        let append = |event: &&Event| {
            if let Some(outcome) = next_outcomes.pop_front() {
                return outcome;
            }
            let offset = appended.len() as u64;
            let record = serde_json::from_str(&event.to_cloudevent()).unwrap();
            appended.push((event.key().to_owned(), record));
            let partition = 7;
            Ok(Position { partition, offset })
        };
        let outcomes = events.iter().map(append).collect();
        async move { outcomes }.boxed()
    }
}

struct Service<E> {
    client: TestClient<E>,
    producer: Arc<FakeProducer>,
}

/// The service with these settings.
fn service(settings: &[(&str, &str)]) -> Service<impl Endpoint> {
    // A process can have only one recorder.
    static METRICS: LazyLock<Metrics> = LazyLock::new(|| telemetry::start_metrics().unwrap());
    let producer = Arc::new(FakeProducer::default());
    let drained = CancellationToken::new();
    let config = read(settings).unwrap();
    let (routes, paths) = routes(&config, Arc::<FakeProducer>::clone(&producer), &drained).unwrap();
    let edge = Edge {
        health: Health::default(),
        metrics: METRICS.clone(),
        gate: Arc::default(),
        limits: config.http.limits,
    };
    let client = TestClient::new(http::endpoint(routes, paths, edge));
    Service { client, producer }
}

impl<E: Endpoint> Service<E> {
    async fn post(&self, path: &str, content_type: &str, body: impl Into<String>) -> Reply {
        let request = self.client.post(path).content_type(content_type);
        Reply::of(request.body(body.into()).send().await).await
    }

    async fn post_json(&self, path: &str, body: &Value) -> Reply {
        self.post(path, "application/json", body.to_string()).await
    }

    /// Sets the outcomes of the next events.
    fn set_outcomes(&self, outcomes: impl IntoIterator<Item = Outcome>) {
        self.producer.next_outcomes.lock().unwrap().extend(outcomes);
    }

    /// Key and value of every record appended.
    fn records(&self) -> Vec<(String, Value)> {
        self.producer.appended.lock().unwrap().clone()
    }
}

/// A complete response.
#[derive(Debug)]
struct Reply {
    status: u16,
    headers: poem::http::HeaderMap,
    body: Value,
}

impl Reply {
    async fn of(response: TestResponse) -> Self {
        let (parts, body) = response.0.into_parts();
        let text = body.into_string().await.unwrap();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Asserts that this is a problem of this status and type, whose detail contains `detail`.
    fn assert_problem(&self, status: StatusCode, kind: &str, detail: &str) {
        assert_eq!(self.status, status.as_u16(), "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(self.body["type"], format!("/problems/{kind}"), "{self:?}");
        let text = self.body["detail"].as_str().unwrap();
        assert!(text.contains(detail), "{detail:?} is not in {text:?}");
    }

    fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().unwrap();
        errors
            .iter()
            .map(|e| e["pointer"].as_str().unwrap())
            .collect()
    }
}

/// A valid command.
fn progress(event_id: &str) -> Value {
    json!({
        "type": "ReportProgress", "event_id": event_id, "playback_id": "p/1", "user_id": "u", "track_id": "t",
        "from_ms": 0, "to_ms": 10_000,
    })
}

fn lines(items: &[Value]) -> String {
    let lines: Vec<_> = items.iter().map(Value::to_string).collect();
    lines.join("\n")
}
