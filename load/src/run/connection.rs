//! One HTTP/1.1 connection, kept and opened again when the server has closed it: hyper's own, so that the generator costs little
//! beside what it measures. One request at a time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than the command-api waits for the broker, so that its own answer is heard.
const ANSWERS_WITHIN: Duration = Duration::from_mins(1);
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);
const POSITION: &str = "ess-position";

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) media_type: Option<&'static str>,
    pub(crate) body: Bytes,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `Ess-Position`, as it was written.
    pub(crate) positions: Option<String>,
    pub(crate) body: Bytes,
}

/// Connections to one server that are not in use, the one used last on top.
pub(crate) struct Pool {
    authority: String,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

impl Pool {
    /// Of the server at `base`, `http://host:port`.
    pub(crate) fn new(base: &str) -> Self {
        let authority = base.trim_start_matches("http://").trim_end_matches('/');
        Self {
            authority: authority.to_owned(),
            idle: Mutex::default(),
        }
    }

    /// Sends a request over an idle connection, or a new one, and reads the whole answer.
    ///
    /// # Errors
    /// Why there is no answer, in a few words that group like causes.
    pub(crate) async fn send(&self, ask: &Ask) -> Result<Answer, String> {
        let asked = timeout(ANSWERS_WITHIN, self.ask(ask)).await;
        asked.unwrap_or_else(|_| Err(format!("no answer within {} s", ANSWERS_WITHIN.as_secs())))
    }

    async fn ask(&self, ask: &Ask) -> Result<Answer, String> {
        let mut sender = self.ready().await?;
        let answer = sender.send_request(self.request(ask)?).await;
        let (parts, body) = answer.map_err(|e| no_answer(&e))?.into_parts();
        let body = body.collect().await.map_err(|e| no_answer(&e))?.to_bytes();
        self.lock().push(sender);
        let positions = parts.headers.get(POSITION);
        Ok(Answer {
            status: parts.status.as_u16(),
            positions: positions.and_then(|value| value.to_str().ok().map(str::to_owned)),
            body,
        })
    }

    fn request(&self, ask: &Ask) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder()
            .method(&ask.method)
            .uri(&ask.path)
            .header(HOST, &self.authority);
        if let Some(media_type) = ask.media_type {
            request = request.header(CONTENT_TYPE, media_type);
        }
        let request = request.body(Full::new(ask.body.clone()));
        request.map_err(|error| format!("no request: {error}"))
    }

    async fn ready(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        loop {
            // Not held while anything is waited for.
            let idle = self.lock().pop();
            let Some(mut sender) = idle else { break };
            if !sender.is_closed() && sender.ready().await.is_ok() {
                return Ok(sender);
            }
        }
        self.connect().await
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let refused = |error: std::io::Error| format!("no connection ({})", error.kind());
        let connecting = timeout(CONNECTS_WITHIN, TcpStream::connect(&self.authority)).await;
        let stream = connecting.map_err(|_| "no connection (too slow)".to_owned())?;
        let stream = stream.map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        let shaken = handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|e| no_answer(&e))?;
        // Its end is seen by the next request.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SendRequest<Full<Bytes>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_answer(error: &hyper::Error) -> String {
    format!("no answer ({error})")
}
