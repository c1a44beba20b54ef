//! The HTTP/1.1 client that load is sent with. It keeps connections alive and opens new ones as needed, on hyper's connection
//! alone, so that the generator costs little. Never retries a request, and treats no status as an error.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than the command-api waits for the broker, so that its own response arrives.
const RESPONSE_TIMEOUT: Duration = Duration::from_mins(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// One request.
#[derive(Debug, Clone, Default)]
pub struct HttpRequest {
    /// GET by default.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Sent as they are; `Host` is added.
    pub headers: HeaderMap,
    /// Empty by default.
    pub body: Bytes,
}

impl HttpRequest {
    /// A GET of this path and query.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            ..Self::default()
        }
    }

    /// A POST of a body of this media type.
    pub fn post(path: impl Into<String>, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let media_type = HeaderValue::from_static(media_type);
        Self {
            method: Method::POST,
            path: path.into(),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, media_type)]),
            body: body.into(),
        }
    }
}

/// A complete response.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct HttpResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Why there is no response. Equal causes have equal texts, so that they can be counted.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The server was not reached.
    #[error("no connection ({})", .0.kind())]
    Connect(#[from] io::Error),
    /// The connection ended before the response was complete.
    #[error("no response ({0})")]
    Response(#[from] hyper::Error),
    /// The server did not respond in time.
    #[error("no response within {} s", RESPONSE_TIMEOUT.as_secs())]
    Timeout,
    /// The path is not valid in a request.
    #[error("invalid request: {0}")]
    Request(#[from] hyper::http::Error),
}

/// A client of one server. Each request in flight has a connection of its own.
#[derive(Debug)]
pub struct HttpClient {
    authority: String,
    /// Put before each path.
    prefix: String,
    /// Connections that are not in use, the last used on top.
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

impl HttpClient {
    /// A client of the server at `base`, `http://HOST:PORT`, with an optional path. Connects with the first request.
    pub fn new(base: &str) -> Self {
        let base = base.trim_start_matches("http://").trim_end_matches('/');
        let (authority, prefix) = base.split_at(base.find('/').unwrap_or(base.len()));
        Self {
            authority: authority.to_owned(),
            prefix: prefix.to_owned(),
            idle: Mutex::default(),
        }
    }

    /// Sends a request and reads the complete response.
    ///
    /// # Errors
    /// When there is no response.
    pub async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = timeout(RESPONSE_TIMEOUT, self.exchange(request)).await;
        response.unwrap_or(Err(HttpError::Timeout))
    }

    async fn exchange(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut connection = self.connection().await?;
        let response = connection.send_request(self.encode(request)?).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        self.idle().push(connection);
        Ok(HttpResponse {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    fn encode(&self, request: &HttpRequest) -> Result<Request<Full<Bytes>>, HttpError> {
        let mut encoded = Request::builder()
            .method(&request.method)
            .uri(format!("{}{}", self.prefix, request.path))
            .body(Full::new(request.body.clone()))?;
        let host = HeaderValue::try_from(&self.authority).map_err(hyper::http::Error::from)?;
        *encoded.headers_mut() = request.headers.clone();
        encoded.headers_mut().insert(HOST, host);
        Ok(encoded)
    }

    /// An idle connection that is still open, else a new one.
    async fn connection(&self) -> Result<SendRequest<Full<Bytes>>, HttpError> {
        loop {
            // The lock is not held across an await.
            let idle = self.idle().pop();
            let Some(mut connection) = idle else { break };
            if !connection.is_closed() && connection.ready().await.is_ok() {
                return Ok(connection);
            }
        }
        self.connect().await
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, HttpError> {
        let address = match self.authority.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => self.authority.clone(),
            _ => format!("{}:80", self.authority),
        };
        let connecting = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
        let stream = connecting.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        let (connection, driver) = handshake(TokioIo::new(stream)).await?;
        // Ends with the connection; the next request notices.
        tokio::spawn(driver);
        Ok(connection)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<SendRequest<Full<Bytes>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_address_may_have_a_path() {
        let client = HttpClient::new("http://host:8000/ess/");
        assert_eq!(client.authority, "host:8000");
        let request = client.encode(&HttpRequest::get("/events?a=b")).unwrap();
        assert_eq!(request.uri(), "/ess/events?a=b");
        assert_eq!(request.headers()[HOST], "host:8000");
    }
}
