//! An open load: requests are due at a constant rate, and latency counts from the due time, so that a slow server does not hide
//! the requests that had to wait (coordinated omission; G. Tene, "How NOT to Measure Latency").

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ess_load::http::{HttpClient, HttpRequest};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::client::{Target, send};
use crate::error::{Error, Result};

/// An open load.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) target: Target,
    /// Connections, each with one request at a time. If all are busy, due requests wait, and that time counts.
    pub(crate) connections: u64,
    /// Requests per second.
    pub(crate) rate: f64,
    pub(crate) duration: Duration,
}

impl Open {
    /// Sends the requests. Calls `answered` for each with its due time since the start and its latency since then.
    ///
    /// # Errors
    /// The first request that fails.
    pub(crate) async fn run(
        &self,
        request: impl Fn(u64) -> HttpRequest + Clone + Send + 'static,
        answered: impl Fn(Duration, Duration) + Clone + Send + 'static,
    ) -> Result<()> {
        let start = Instant::now();
        let next = Arc::new(AtomicU64::new(0));
        let mut running = JoinSet::new();
        for _ in 0..self.connections {
            let client = HttpClient::new(&self.target.url);
            let (request, answered, next) = (request.clone(), answered.clone(), Arc::clone(&next));
            let (rate, duration) = (self.rate, self.duration);
            running.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let due = Duration::from_secs_f64(number as f64 / rate);
                    if due >= duration {
                        return Ok::<_, Error>(());
                    }
                    let request = request(number);
                    sleep_until((start + due).into()).await;
                    send(&client, &request).await?;
                    answered(due, start.elapsed().saturating_sub(due));
                }
            });
        }
        while let Some(ended) = running.join_next().await {
            ended??;
        }
        Ok(())
    }
}
