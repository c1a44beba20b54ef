//! GET /stats/live as a stream of server-sent events.

use ess_e2e::{TestApp, eventually, unique};
use ess_schema::migrations;
use futures::future::join_all;
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::{started, store};
use crate::stored::{Partition, alone};

/// A subscriber.
struct Stream {
    response: Response,
    unread: Vec<u8>,
}

/// One server-sent event.
struct SseEvent {
    id: String,
    data: Value,
}

impl Stream {
    async fn open(app: &TestApp, query: &str, last: Option<&str>) -> Self {
        let mut request = app
            .queries()
            .request(Method::GET, &format!("/stats/live{query}"));
        request = request.header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/event-stream");
        assert_eq!(header("cache-control"), "no-store");
        Self {
            response,
            unread: Vec::new(),
        }
    }

    /// The next block of lines, a comment or an event; `None` at the clean end of the stream.
    async fn block(&mut self) -> Option<String> {
        loop {
            let end = self.unread.windows(2).position(|two| two == b"\n\n");
            if let Some(end) = end {
                let block: Vec<u8> = self.unread.drain(..end + 2).take(end).collect();
                return Some(String::from_utf8(block).unwrap());
            }
            let bytes = self.response.chunk().await.unwrap()?;
            self.unread.extend_from_slice(&bytes);
        }
    }

    async fn event(&mut self) -> SseEvent {
        loop {
            let block = self.block().await.expect("the stream goes on");
            if let Some(event) = parse_event(&block) {
                return event;
            }
        }
    }

    /// Reads until this many playbacks are playing.
    async fn until(&mut self, playing: u64) -> SseEvent {
        loop {
            let event = self.event().await;
            if event.data["playing"] == playing {
                return event;
            }
        }
    }
}

fn parse_event(block: &str) -> Option<SseEvent> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
    let data = field("data: ")?;
    assert_eq!(field("event: "), Some("live"), "{block}");
    Some(SseEvent {
        id: field("id: ").expect("an id").to_owned(),
        data: serde_json::from_str(data).unwrap(),
    })
}

/// The number of queries of what is playing.
async fn queries(app: &TestApp) -> u64 {
    let metrics = app.get("/metrics").await.expect_status(200).text;
    let line = "ess_query_duration_seconds_count{query=\"playing\"} ";
    let count = metrics.lines().find_map(|found| found.strip_prefix(line));
    count.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn all_subscribers_see_a_change_and_cost_one_query_an_interval() {
    let app = alone(&[("LIVE_INTERVAL_MS", "300")]).await;
    let partition = Partition::of(&app).await;
    store(&app, &partition, &[started("p1", "u", "t", None, 0)]).await;
    let mut clients = join_all((0..50).map(|_| Stream::open(&app, "", None))).await;
    assert_eq!(clients[0].block().await.unwrap(), "retry: 300");
    for event in join_all(clients.iter_mut().map(|client| client.until(1))).await {
        assert_eq!(event.data["tracks"][0]["track_id"], "t");
    }
    store(&app, &partition, &[started("p2", "u", "t", None, 0)]).await;
    let events = join_all(clients.iter_mut().map(|client| client.until(2))).await;
    assert!(events.iter().all(|event| event.data["listeners"] == 1));

    let before = queries(&app).await;
    let first = clients[0].event().await.id;
    for _ in 0..10 {
        clients[0].event().await;
    }
    let executed = queries(&app).await - before;
    assert!(
        (10..=14).contains(&executed),
        "{executed} queries for ten events of fifty streams"
    );

    let mut back = Stream::open(&app, "", Some(&first)).await;
    let mut missed = Vec::new();
    for _ in 0..10 {
        missed.push(back.event().await.id);
    }
    assert!(
        missed.is_sorted() && missed[0] > first,
        "{missed:?} after {first}"
    );
    drop((clients, back));
    eventually("all streams are closed", async || {
        let metrics = app.get("/metrics").await.text;
        let mut lines = metrics.lines();
        let open = lines.find_map(|line| line.strip_prefix("ess_query_live_listeners "));
        if open == Some("0") {
            Ok(())
        } else {
            Err(format!("{open:?}"))
        }
    })
    .await;
}

/// Creates an empty generation, activates it and returns its database.
async fn promote_empty_generation(app: &TestApp) -> String {
    let (first, next) = (
        app.database().await,
        format!("{}_g2", app.control_database()),
    );
    let tables = migrations::GENERATION
        .iter()
        .flat_map(|migration| migration.statements(&next));
    let known = [
        format!("CREATE TABLE {next}.schema_migrations AS {first}.schema_migrations"),
        format!("INSERT INTO {next}.schema_migrations SELECT * FROM {first}.schema_migrations"),
    ];
    let promote = format!(
        "INSERT INTO {}.generations (generation, state) VALUES (2, 'active')",
        app.control_database()
    );
    let statements = [format!("CREATE DATABASE {next}")]
        .into_iter()
        .chain(tables)
        .chain(known)
        .chain([promote]);
    for statement in statements {
        app.clickhouse()
            .query_raw(&statement)
            .execute()
            .await
            .unwrap();
    }
    next
}

#[tokio::test]
async fn a_stream_continues_with_a_promoted_generation_and_ends_cleanly_on_shutdown() {
    let app = alone(&[("LIVE_INTERVAL_MS", "200"), ("LIVE_HEARTBEAT_MS", "20")]).await;
    let partition = Partition::of(&app).await;
    store(&app, &partition, &[started("p1", "u", "t", None, 0)]).await;
    let mut client = Stream::open(&app, "?country=DE", None).await;
    client.until(0).await;
    // Heartbeats come between the events.
    while client.block().await.unwrap() != ":" {}

    let next = promote_empty_generation(&app).await;
    let rebuilt = Partition::in_database(&app, &next);
    store(&app, &rebuilt, &[started("p2", "u", "t", Some("DE"), 0)]).await;
    client.until(1).await;

    let (code, ()) = tokio::join!(app.query_api.terminate(), async {
        while client.block().await.is_some() {}
    });
    assert_eq!(code, 0);
}

#[tokio::test]
async fn too_many_streams_or_questions_are_503_with_retry_after() {
    let app = alone(&[("LIVE_MAX_LISTENERS", "2"), ("LIVE_MAX_QUESTIONS", "1")]).await;
    let refused = async |query: &str| {
        let request = app
            .queries()
            .request(Method::GET, &format!("/stats/live{query}"));
        let answer = app
            .queries()
            .send(request.header("accept", "text/event-stream"))
            .await;
        assert_eq!(answer.header("retry-after"), Some("5"), "{answer:?}");
        answer.expect_status(503).json()["type"].clone()
    };
    let first = Stream::open(&app, "", None).await;
    assert_eq!(refused("?country=DE").await, "/problems/overloaded");
    let second = Stream::open(&app, "", None).await;
    assert_eq!(refused("").await, "/problems/overloaded");
    assert_eq!(app.get("/stats/live?country=DE").await.status, 200);
    drop((first, second));
    eventually("there is room again", async || {
        let request = app.queries().request(Method::GET, "/stats/live?country=DE");
        let response = request
            .header("accept", "text/event-stream")
            .send()
            .await
            .unwrap();
        if response.status() == 200 {
            Ok(())
        } else {
            Err(response.status().to_string())
        }
    })
    .await;
}

/// A connection with a small receive buffer that has requested a stream and read nothing.
async fn unread(app: &TestApp, query: &str) -> TcpStream {
    let address = app.queries().base().strip_prefix("http://").unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut connection = socket.connect(address.parse().unwrap()).await.unwrap();
    let request = format!(
        "GET /stats/live{query} HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    connection
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_delays_no_other_and_later_gets_the_newest_event() {
    const EVENTS: usize = 60;
    let app = alone(&[("LIVE_INTERVAL_MS", "20")]).await;
    let partition = Partition::of(&app).await;
    // A thousand tracks with the longest ids: about 270 kB an event, which fills the buffers between server and client.
    let tracks = (0..1_000).map(|n| format!("{n:04}{}", "я".repeat(124)));
    let events: Vec<_> = tracks
        .map(|track| started(&unique("p"), "u", &track, None, 0))
        .collect();
    store(&app, &partition, &events).await;
    let mut quick = Stream::open(&app, "?limit=1000", None).await;
    quick.until(1_000).await;
    let mut slow = join_all((0..20).map(|_| unread(&app, "?limit=1000"))).await;
    for _ in 0..EVENTS {
        quick.event().await;
    }
    let last = quick.event().await.id;

    let (mut read, mut bytes, mut ids) = (Vec::new(), vec![0; 1 << 16], Vec::new());
    while ids.last().is_none_or(|id| *id < last) {
        let count = slow[0].read(&mut bytes).await.unwrap();
        assert!(count > 0, "the stream goes on");
        read.extend_from_slice(&bytes[..count]);
        let text = String::from_utf8_lossy(&read);
        let lines = text.lines().filter_map(|line| line.strip_prefix("id: "));
        ids = lines.map(ToOwned::to_owned).collect();
    }
    assert!(
        ids.len() < EVENTS / 2,
        "{} events were queued for it",
        ids.len()
    );
    let memory = app.query_api.peak_memory();
    assert!(memory < 400 << 20, "{memory} bytes");
}
