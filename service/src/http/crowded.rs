//! Connections that are not served: one too many, and those that do not send a whole head in time.

use std::time::Duration;

use poem::http::StatusCode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy, sink},
    net::TcpStream,
    time::timeout,
};

use crate::problem::{PROBLEM_JSON, Problem, ProblemKind};

const CLOSED: &str = "ess_http_connections_closed_total";
/// How long telling one may take.
const AT_MOST: Duration = Duration::from_secs(2);
/// What is read of a request that is not answered otherwise. A socket closed with bytes unread resets the connection, and the
/// answer may be lost with it.
const MOST_READ: u64 = 64 * 1024;
/// When there may be a place again.
const RETRY_AFTER: u32 = 1;

pub(super) fn describe() {
    metrics::describe_counter!(
        CLOSED,
        "connections closed unserved, by reason: crowded (more than HTTP_MAX_CONNECTIONS) or slow (no whole head within HTTP_HEADER_TIMEOUT_MS)"
    );
}

/// One that found no place.
pub(super) fn count() {
    metrics::counter!(CLOSED, "reason" => "crowded").increment(1);
}

/// One that did not send a head in time, or nothing more after its last request.
pub(super) fn count_slow() {
    metrics::counter!(CLOSED, "reason" => "slow").increment(1);
}

/// Answers whatever is asked with 503, and hangs up.
pub(super) async fn tell(mut stream: TcpStream, most: usize) {
    let told = async {
        stream.write_all(answer(most).as_bytes()).await?;
        stream.shutdown().await?;
        copy(&mut stream.take(MOST_READ), &mut sink()).await
    };
    // Whoever does not listen is hung up on all the same.
    let _ = timeout(AT_MOST, told).await;
}

fn answer(most: usize) -> String {
    let problem = Problem::new(
        ProblemKind::Overloaded,
        format!("{most} connections are open, as many as are served at once"),
    )
    .with_retry_after(RETRY_AFTER);
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {PROBLEM_JSON}\r\ncontent-length: {length}\r\nretry-after: {RETRY_AFTER}\r\nconnection: close\r\n\r\n{body}"
    )
}
