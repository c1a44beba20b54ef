//! Stands between a service and ClickHouse and keeps what it sends: address, headers and body, byte for byte. So it can be sent
//! again by who knows nothing of how it is made. Never alters anything.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use poem::http::{HeaderMap, HeaderName, Method, header};
use poem::listener::TcpAcceptor;
use poem::{Endpoint, Request, Response, Server, endpoint};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::error::{Error, Result};

/// Headers that belong to one connection, or that whoever sends again sets anew (RFC 9110, section 7.6.1).
const OF_A_CONNECTION: [HeaderName; 5] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::EXPECT,
];
/// The table that tells how far the log is folded, which is no event.
const PROGRESS: &str = "projection_progress";

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// Path and query of its address.
    pub(crate) address: String,
    pub(crate) headers: HeaderMap,
    /// As it was sent, compressed if it was.
    pub(crate) body: Bytes,
}

/// The requests that were kept.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) sent: Vec<Sent>,
    /// Most of them that were under way at once.
    pub(crate) in_flight: usize,
    under_way: usize,
}

/// A server in ClickHouse's place.
pub(crate) struct Recorder {
    url: String,
    recorded: Arc<Mutex<Recorded>>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Recorder {
    /// Begins to listen; passes everything on to `clickhouse_url`, and keeps the requests whose address `is_kept`.
    ///
    /// # Errors
    /// No port.
    pub(crate) async fn start(clickhouse_url: &str, is_kept: fn(&str) -> bool) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let recorded = Arc::<Mutex<Recorded>>::default();
        let relay = Arc::new(Relay {
            clickhouse_url: clickhouse_url.to_owned(),
            http: reqwest::Client::new(),
            recorded: Arc::clone(&recorded),
            is_kept,
        });
        let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?);
        let serving = tokio::spawn(server.run(relay.endpoint()));
        Ok(Self {
            url,
            recorded,
            serving,
        })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What was kept since the last time; the server goes on.
    pub(crate) fn take(&self) -> Recorded {
        std::mem::take(&mut *lock(&self.recorded))
    }

    /// What was kept; ends the server.
    pub(crate) fn finish(self) -> Recorded {
        self.serving.abort();
        self.take()
    }
}

struct Relay {
    clickhouse_url: String,
    http: reqwest::Client,
    recorded: Arc<Mutex<Recorded>>,
    is_kept: fn(&str) -> bool,
}

impl Relay {
    fn endpoint(self: Arc<Self>) -> impl Endpoint {
        endpoint::make(move |request| {
            let relay = Arc::clone(&self);
            async move { relay.answer(request).await.map_err(|error| refused(&error)) }
        })
    }

    async fn answer(&self, request: Request) -> Result<Response> {
        let (parts, body) = request.into_parts();
        let address = parts.uri.path_and_query().map_or("/", |both| both.as_str());
        let unread = |error| Error::message(format!("a request cannot be read: {error}"));
        let sent = Sent {
            address: address.to_owned(),
            headers: lasting(parts.headers),
            body: body.into_bytes().await.map_err(unread)?,
        };
        if parts.method != Method::POST || !(self.is_kept)(address) {
            return self.pass_on(parts.method, &sent).await;
        }
        {
            let mut recorded = lock(&self.recorded);
            recorded.under_way += 1;
            recorded.in_flight = recorded.in_flight.max(recorded.under_way);
            recorded.sent.push(sent.clone());
        }
        let answer = self.pass_on(Method::POST, &sent).await;
        lock(&self.recorded).under_way -= 1;
        answer
    }

    async fn pass_on(&self, method: Method, sent: &Sent) -> Result<Response> {
        let url = format!("{}{}", self.clickhouse_url, sent.address);
        let request = self.http.request(method, url);
        let request = request.headers(sent.headers.clone());
        let answer = request.body(sent.body.clone()).send().await?;
        let mut response = Response::builder().status(answer.status()).finish();
        *response.headers_mut() = lasting(answer.headers().clone());
        response.set_body(answer.bytes().await?);
        Ok(response)
    }
}

fn lock(recorded: &Mutex<Recorded>) -> std::sync::MutexGuard<'_, Recorded> {
    recorded.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lasting(mut headers: HeaderMap) -> HeaderMap {
    for name in OF_A_CONNECTION {
        headers.remove(name);
    }
    headers
}

/// Whether the statement in this address inserts events.
pub(crate) fn is_insert_of_events(address: &str) -> bool {
    let address = percent_decode_str(address).decode_utf8_lossy();
    address.contains("INSERT") && !address.contains(PROGRESS)
}

fn refused(error: &Error) -> poem::Error {
    poem::Error::from_string(error.to_string(), poem::http::StatusCode::BAD_GATEWAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_inserts_of_events_are_kept() {
        let events =
            "/?database=bench_g1&query=INSERT+INTO+events%28%60event_id%60%29+FORMAT+RowBinary";
        let progress = "/?database=bench_g1&query=INSERT+INTO+%60projection%5Fprogress%60";
        assert!(is_insert_of_events(events));
        assert!(!is_insert_of_events(progress));
        assert!(!is_insert_of_events("/?database=bench_g1&compress=1"));
    }

    #[test]
    fn what_belongs_to_a_connection_is_not_sent_again() {
        let mut headers = HeaderMap::new();
        headers.insert(header::TRANSFER_ENCODING, "chunked".parse().unwrap());
        headers.insert("x-clickhouse-user", "default".parse().unwrap());
        let kept = lasting(headers);
        let names: Vec<_> = kept.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-clickhouse-user"]);
    }
}
