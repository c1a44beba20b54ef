//! The client that everything is measured with, ESS and its yardsticks alike: connections that are kept, one request at a time
//! on each (hyper's own connection, nothing around it). A request that is refused is an error, not a figure.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderMap};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::error::{Error, Result};
use crate::http::latencies::Latencies;
use crate::usage::cpu_of;

/// Before the clock of a load starts.
const WARM_UP: Duration = Duration::from_secs(1);
/// Of a refusal, so much is told.
const TOLD: usize = 600;

/// One request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// Path and query of its address.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Ask {
    /// Asks for what is under this path.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            ..Self::default()
        }
    }
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A connection to one server, opened again when the server has closed it.
pub(crate) struct Connection {
    authority: String,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// To the server with this base address, `http://host:port`; opened with the first request.
    pub(crate) fn to(base: &str) -> Self {
        Self {
            authority: base.trim_start_matches("http://").to_owned(),
            sender: None,
        }
    }

    /// Sends one request and reads its whole answer.
    ///
    /// # Errors
    /// No answer, or one that is none of 2xx.
    pub(crate) async fn send(&mut self, ask: &Ask) -> Result<Answer> {
        let mut request = Request::builder()
            .method(&ask.method)
            .uri(&ask.path)
            .body(Full::new(ask.body.clone()))
            .map_err(|error| Error::message(format!("{}: {error}", ask.path)))?;
        *request.headers_mut() = ask.headers.clone();
        let host = self.authority.parse();
        let host = host.map_err(|_| Error::message(format!("{} is no host", self.authority)))?;
        request.headers_mut().insert(HOST, host);
        let failed = |error: hyper::Error| Error::message(format!("{}: {error}", ask.path));
        let answer = self.ready().await?.send_request(request).await;
        let (parts, body) = answer.map_err(failed)?.into_parts();
        let body = body.collect().await.map_err(failed)?.to_bytes();
        if !parts.status.is_success() {
            let body = String::from_utf8_lossy(&body[..body.len().min(TOLD)]).into_owned();
            let (status, path) = (parts.status, &ask.path);
            return Err(Error::message(format!(
                "{path} was answered {status}: {body}"
            )));
        }
        Ok(Answer {
            headers: parts.headers,
            body,
        })
    }

    async fn ready(&mut self) -> Result<&mut SendRequest<Full<Bytes>>> {
        let mut sender = match self.sender.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => connect(&self.authority).await?,
        };
        if sender.ready().await.is_err() {
            sender = connect(&self.authority).await?;
        }
        Ok(self.sender.insert(sender))
    }
}

async fn connect(authority: &str) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let failed = |error: hyper::Error| Error::message(format!("{authority}: {error}"));
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Its end is seen by the next request.
    tokio::spawn(connection);
    Ok(sender)
}

/// A server that is asked.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Its base address.
    pub(crate) url: String,
    /// Its process.
    pub(crate) pid: i32,
}

/// Lets `clients` ask one after the other for so long: `ask` makes the request of a number, and no number comes twice.
///
/// # Errors
/// The first request that fails.
pub(crate) async fn load(
    target: &Target,
    clients: u64,
    how_long: Duration,
    ask: impl Fn(u64) -> Ask + Clone + Send + 'static,
) -> Result<Latencies> {
    let begin = Instant::now() + WARM_UP;
    let end = begin + how_long;
    let mut running = JoinSet::new();
    for client in 0..clients {
        let (mut connection, ask) = (Connection::to(&target.url), ask.clone());
        running.spawn(async move {
            let mut took = Vec::new();
            for number in (client..).step_by(clients as usize) {
                let request = ask(number);
                let sent = Instant::now();
                if sent >= end {
                    break;
                }
                connection.send(&request).await?;
                if sent >= begin {
                    took.push(sent.elapsed());
                }
            }
            Ok::<_, Error>(took)
        });
    }
    sleep_until(begin.into()).await;
    let me = std::process::id() as i32;
    let (client, server) = (cpu_of(me)?, cpu_of(target.pid)?);
    let mut all = Vec::new();
    while let Some(ended) = running.join_next().await {
        all.extend(ended??);
    }
    let latencies = Latencies::of(all, begin.elapsed());
    let used = |now: Duration, before| now.saturating_sub(before);
    Ok(latencies.at_the_cost_of(used(cpu_of(me)?, client), used(cpu_of(target.pid)?, server)))
}
