//! Connections that are closed without being served: those beyond the limit get 503, those without a complete head in time
//! get no response.

use std::time::Duration;

use poem::http::StatusCode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy, sink},
    net::TcpStream,
    time::timeout,
};

use crate::problem::{PROBLEM_JSON, Problem, ProblemKind};

const CLOSED: &str = "ess_http_connections_closed_total";
/// Timeout of the response and of draining the request.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum bytes that are drained.
const MAX_DRAINED_BYTES: u64 = 64 * 1024;
/// Seconds after which a permit may be available.
const RETRY_AFTER: u32 = 1;

pub(super) fn describe() {
    metrics::describe_counter!(
        CLOSED,
        "connections closed without being served, by reason: crowded (more than HTTP_MAX_CONNECTIONS) or slow (no complete head within HTTP_HEADER_TIMEOUT_MS)"
    );
}

pub(super) fn count_over_limit() {
    metrics::counter!(CLOSED, "reason" => "crowded").increment(1);
}

/// Counts a connection without a complete head in time, or idle for too long after its last request.
pub(super) fn count_slow() {
    metrics::counter!(CLOSED, "reason" => "slow").increment(1);
}

/// Responds with 503 to any request, and closes the connection.
pub(super) async fn reject(mut stream: TcpStream, max_connections: usize) {
    let respond = async {
        stream
            .write_all(response(max_connections).as_bytes())
            .await?;
        stream.shutdown().await?;
        drain_body(stream).await
    };
    // After an error or the timeout the connection is closed all the same.
    let _ = timeout(DRAIN_TIMEOUT, respond).await;
}

/// Reads what the client sends. Closing a socket with unread bytes resets the connection, and the response may be lost.
async fn drain_body(stream: TcpStream) -> std::io::Result<u64> {
    copy(&mut stream.take(MAX_DRAINED_BYTES), &mut sink()).await
}

fn response(max_connections: usize) -> String {
    let problem = Problem::new(
        ProblemKind::Overloaded,
        format!("all {max_connections} connections are in use (HTTP_MAX_CONNECTIONS)"),
    )
    .with_retry_after(RETRY_AFTER);
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {PROBLEM_JSON}\r\ncontent-length: {length}\r\nretry-after: {RETRY_AFTER}\r\nconnection: close\r\n\r\n{body}"
    )
}
