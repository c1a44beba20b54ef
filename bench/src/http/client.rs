//! The client of every measurement, of ESS and its yardsticks alike: that of ess-load, with one request at a time on each
//! connection. Never counts a request that fails: that is an error.

use std::time::{Duration, Instant};

use ess_load::http::{HttpClient, HttpRequest, HttpResponse};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::error::{Error, Result};
use crate::http::latencies::Latencies;
use crate::usage::cpu_of;

/// Time before the clock of a load starts.
const WARM_UP: Duration = Duration::from_secs(1);
/// Maximum bytes of a response body in an error message.
const MAX_QUOTED: usize = 600;

/// Sends a request and reads the complete response.
///
/// # Errors
/// No response, or a status other than 2xx.
pub(crate) async fn send(client: &HttpClient, request: &HttpRequest) -> Result<HttpResponse> {
    let path = &request.path;
    let response = client.send(request).await;
    let response = response.map_err(|error| Error::message(format!("{path}: {error}")))?;
    if response.status.is_success() {
        return Ok(response);
    }
    let body = &response.body[..response.body.len().min(MAX_QUOTED)];
    let body = String::from_utf8_lossy(body);
    Err(Error::message(format!(
        "{path}: {}: {body}",
        response.status
    )))
}

/// A server under load.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Its base URL.
    pub(crate) url: String,
    /// Its process.
    pub(crate) pid: i32,
}

/// Runs a closed load: each of `clients` sends one request after the other. `request` makes the request of a number; numbers do not
/// repeat.
///
/// # Errors
/// The first request that fails.
pub(crate) async fn load(
    target: &Target,
    clients: u64,
    duration: Duration,
    request: impl Fn(u64) -> HttpRequest + Clone + Send + 'static,
) -> Result<Latencies> {
    let start = Instant::now() + WARM_UP;
    let end = start + duration;
    let mut running = JoinSet::new();
    for number in 0..clients {
        let (client, request) = (HttpClient::new(&target.url), request.clone());
        running.spawn(async move {
            let mut took = Vec::new();
            for number in (number..).step_by(clients as usize) {
                let request = request(number);
                let sent = Instant::now();
                if sent >= end {
                    break;
                }
                send(&client, &request).await?;
                if sent >= start {
                    took.push(sent.elapsed());
                }
            }
            Ok::<_, Error>(took)
        });
    }
    sleep_until(start.into()).await;
    let me = std::process::id() as i32;
    let (client, server) = (cpu_of(me)?, cpu_of(target.pid)?);
    let mut all = Vec::new();
    while let Some(ended) = running.join_next().await {
        all.extend(ended??);
    }
    let latencies = Latencies::of(all, start.elapsed());
    let used = |now: Duration, before| now.saturating_sub(before);
    Ok(latencies.with_cpu(used(cpu_of(me)?, client), used(cpu_of(target.pid)?, server)))
}
