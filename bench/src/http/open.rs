//! A load that does not wait for answers: requests are due at a constant rate, and their time runs from when they were due, so that
//! a server that hesitates is not spared the requests it kept waiting (coordinated omission; G. Tene, "How NOT to Measure Latency").

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::client::{Ask, Connection, Target};
use crate::error::{Error, Result};

/// Requests that are due at a constant rate.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) target: Target,
    /// Connections, each with one request at a time. When all are busy, what is due waits, and that counts.
    pub(crate) connections: u64,
    /// Requests a second.
    pub(crate) rate: f64,
    pub(crate) lasting: Duration,
}

impl Open {
    /// Sends them; `answered` is told of each when it was due, after the begin, and how long it took from then.
    ///
    /// # Errors
    /// The first request that fails.
    pub(crate) async fn run(
        &self,
        ask: impl Fn(u64) -> Ask + Clone + Send + 'static,
        answered: impl Fn(Duration, Duration) + Clone + Send + 'static,
    ) -> Result<()> {
        let begin = Instant::now();
        let next = Arc::new(AtomicU64::new(0));
        let mut running = JoinSet::new();
        for _ in 0..self.connections {
            let mut connection = Connection::to(&self.target.url);
            let (ask, answered, next) = (ask.clone(), answered.clone(), Arc::clone(&next));
            let (rate, lasting) = (self.rate, self.lasting);
            running.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let due = Duration::from_secs_f64(number as f64 / rate);
                    if due >= lasting {
                        return Ok::<_, Error>(());
                    }
                    let request = ask(number);
                    sleep_until((begin + due).into()).await;
                    connection.send(&request).await?;
                    answered(due, begin.elapsed().saturating_sub(due));
                }
            });
        }
        while let Some(ended) = running.join_next().await {
            ended??;
        }
        Ok(())
    }
}
