//! A fake command-api that responds as its script says, and records its requests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ess_schema::decode::{AcceptedShapes, ReceiveContext, Shape, decode_item};
use ess_schema::{Event, Timestamp};
use poem::endpoint::make;
use poem::listener::TcpAcceptor;
use poem::{IntoResponse, Request, Response, Server};
use tokio::sync::watch;
use tokio::time::timeout;

/// A time at which every fact that the tests simulate is accepted.
pub(crate) const RECEIVED_AT: &str = "2026-11-23T11:00:00Z";

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) at: Instant,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) events: Vec<Event>,
}

type Script = dyn Fn(usize, &Sent) -> Response + Send + Sync;

/// A fake command-api.
pub(crate) struct CommandApi {
    pub(crate) url: String,
    sent: watch::Sender<Vec<Sent>>,
}

impl CommandApi {
    /// Responds to request number n, from 0, as `script` says. Its time is always [`RECEIVED_AT`].
    pub(crate) async fn start(
        script: impl Fn(usize, &Sent) -> Response + Send + Sync + 'static,
    ) -> Self {
        let received_at = Timestamp::parse_rfc3339(RECEIVED_AT).unwrap();
        Self::start_at(received_at, script).await
    }

    /// The same with another time.
    pub(crate) async fn start_at(
        received_at: Timestamp,
        script: impl Fn(usize, &Sent) -> Response + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sent, script): (watch::Sender<_>, Arc<Script>) =
            (watch::Sender::default(), Arc::new(script));
        let requests = sent.clone();
        let endpoint = make(move |request| {
            let (script, requests) = (Arc::clone(&script), requests.clone());
            async move { respond(request, received_at, &*script, &requests).await }
        });
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        tokio::spawn(Server::new_with_acceptor(acceptor).run(endpoint));
        Self { url, sent }
    }

    /// Every request so far.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.borrow().clone()
    }

    /// Waits until there were `count` requests.
    pub(crate) async fn wait_for(&self, count: usize) {
        let mut sent = self.sent.subscribe();
        let waiting = sent.wait_for(|sent| sent.len() >= count);
        timeout(Duration::from_secs(30), waiting)
            .await
            .unwrap()
            .unwrap();
    }
}

async fn respond(
    mut request: Request,
    received_at: Timestamp,
    script: &Script,
    requests: &watch::Sender<Vec<Sent>>,
) -> Response {
    if request.uri().path() == "/" {
        return "running".into_response();
    }
    let body = request.take_body().into_string().await.unwrap();
    let (events, shapes) = body.lines().map(|item| read(item, received_at)).unzip();
    let sent = Sent {
        path: request.uri().path().to_owned(),
        content_type: request.content_type().unwrap().to_owned(),
        at: Instant::now(),
        events,
        shapes,
    };
    let mut number = 0;
    requests.send_modify(|requests| {
        number = requests.len();
        requests.push(sent.clone());
    });
    script(number, &sent)
}

fn read(item: &str, received_at: Timestamp) -> (Event, Shape) {
    let mut generate_id = || panic!("{item} has no id");
    let mut context = ReceiveContext::Request {
        received_at,
        generate_id: &mut generate_id,
    };
    let item = decode_item(item, AcceptedShapes::Any, &mut context).unwrap();
    (item.event, item.shape)
}

/// Every item was appended.
pub(crate) fn appended(sent: &Sent) -> Response {
    let items: Vec<_> = (0..sent.events.len())
        .map(|index| serde_json::json!({"index": index, "event_id": "e", "position": "0:1"}))
        .collect();
    let body = match items.len() {
        1 => items[0].to_string(),
        count => serde_json::json!({"appended": count, "refused": 0, "items": items}).to_string(),
    };
    Response::builder()
        .status(poem::http::StatusCode::ACCEPTED)
        .body(body)
}

/// A problem with the request.
pub(crate) fn problem(status: u16, title: &str) -> Response {
    let body = serde_json::json!({"type": "/problems/x", "title": title, "status": status, "detail": "so"});
    let status = poem::http::StatusCode::from_u16(status).unwrap();
    Response::builder().status(status).body(body.to_string())
}
