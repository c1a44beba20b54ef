//! A proxy between a service and ClickHouse that records requests byte for byte, so that they can be sent again.
//! Never changes a request.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use poem::http::{HeaderMap, HeaderName, Method, header};
use poem::listener::TcpAcceptor;
use poem::{Endpoint, Request, Response, Server, endpoint};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::error::{Error, Result};

/// Hop-by-hop headers, and headers that the client sets again (RFC 9110, section 7.6.1).
const CONNECTION_HEADERS: [HeaderName; 5] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::EXPECT,
];
/// The table of progress, whose inserts are not events.
const PROGRESS: &str = "projection_progress";

/// A recorded request.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// Path and query.
    pub(crate) address: String,
    pub(crate) headers: HeaderMap,
    /// The body as it was sent, possibly compressed.
    pub(crate) body: Bytes,
}

/// Recorded requests.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) sent: Vec<Sent>,
    /// The maximum number of concurrent requests.
    pub(crate) in_flight: usize,
    current: usize,
}

/// A recording proxy.
pub(crate) struct Recorder {
    url: String,
    recorded: Arc<Mutex<Recorded>>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Recorder {
    /// Starts the proxy. It forwards all requests to `clickhouse_url` and records those whose address `is_recorded`.
    ///
    /// # Errors
    /// No free port.
    pub(crate) async fn start(clickhouse_url: &str, is_recorded: fn(&str) -> bool) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let recorded = Arc::<Mutex<Recorded>>::default();
        let relay = Arc::new(Relay {
            clickhouse_url: clickhouse_url.to_owned(),
            http: reqwest::Client::new(),
            recorded: Arc::clone(&recorded),
            is_recorded,
        });
        let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?);
        let serving = tokio::spawn(server.run(relay.endpoint()));
        Ok(Self {
            url,
            recorded,
            serving,
        })
    }

    /// The URL of the proxy.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Takes the requests recorded since the last call.
    pub(crate) fn take(&self) -> Recorded {
        std::mem::take(&mut *lock(&self.recorded))
    }

    /// Stops the proxy and returns the recorded requests.
    pub(crate) fn finish(self) -> Recorded {
        self.serving.abort();
        self.take()
    }
}

struct Relay {
    clickhouse_url: String,
    http: reqwest::Client,
    recorded: Arc<Mutex<Recorded>>,
    is_recorded: fn(&str) -> bool,
}

impl Relay {
    fn endpoint(self: Arc<Self>) -> impl Endpoint {
        endpoint::make(move |request| {
            let relay = Arc::clone(&self);
            async move {
                relay
                    .answer(request)
                    .await
                    .map_err(|error| bad_gateway(&error))
            }
        })
    }

    async fn answer(&self, request: Request) -> Result<Response> {
        let (parts, body) = request.into_parts();
        let address = parts.uri.path_and_query().map_or("/", |both| both.as_str());
        let unread = |error| Error::message(format!("cannot read a request: {error}"));
        let sent = Sent {
            address: address.to_owned(),
            headers: end_to_end(parts.headers),
            body: body.into_bytes().await.map_err(unread)?,
        };
        if parts.method != Method::POST || !(self.is_recorded)(address) {
            return self.forward(parts.method, &sent).await;
        }
        {
            let mut recorded = lock(&self.recorded);
            recorded.current += 1;
            recorded.in_flight = recorded.in_flight.max(recorded.current);
            recorded.sent.push(sent.clone());
        }
        let answer = self.forward(Method::POST, &sent).await;
        lock(&self.recorded).current -= 1;
        answer
    }

    async fn forward(&self, method: Method, sent: &Sent) -> Result<Response> {
        let url = format!("{}{}", self.clickhouse_url, sent.address);
        let request = self.http.request(method, url);
        let request = request.headers(sent.headers.clone());
        let answer = request.body(sent.body.clone()).send().await?;
        let mut response = Response::builder().status(answer.status()).finish();
        *response.headers_mut() = end_to_end(answer.headers().clone());
        response.set_body(answer.bytes().await?);
        Ok(response)
    }
}

fn lock(recorded: &Mutex<Recorded>) -> std::sync::MutexGuard<'_, Recorded> {
    recorded.lock().unwrap_or_else(PoisonError::into_inner)
}

fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in CONNECTION_HEADERS {
        headers.remove(name);
    }
    headers
}

/// Whether the statement in this address inserts events.
pub(crate) fn is_insert_of_events(address: &str) -> bool {
    let address = percent_decode_str(address).decode_utf8_lossy();
    address.contains("INSERT") && !address.contains(PROGRESS)
}

fn bad_gateway(error: &Error) -> poem::Error {
    poem::Error::from_string(error.to_string(), poem::http::StatusCode::BAD_GATEWAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_inserts_of_events_are_recorded() {
        let events =
            "/?database=bench_g1&query=INSERT+INTO+events%28%60event_id%60%29+FORMAT+RowBinary";
        let progress = "/?database=bench_g1&query=INSERT+INTO+%60projection%5Fprogress%60";
        assert!(is_insert_of_events(events));
        assert!(!is_insert_of_events(progress));
        assert!(!is_insert_of_events("/?database=bench_g1&compress=1"));
    }

    #[test]
    fn headers_of_a_connection_are_not_sent_again() {
        let mut headers = HeaderMap::new();
        headers.insert(header::TRANSFER_ENCODING, "chunked".parse().unwrap());
        headers.insert("x-clickhouse-user", "default".parse().unwrap());
        let headers = end_to_end(headers);
        let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-clickhouse-user"]);
    }
}
