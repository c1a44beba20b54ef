//! Questions to the query-api beside the writes, at a rate of their own.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::http::HttpClient;
use crate::scenario::Reads;
use crate::send::Sender;

/// Sends questions to the query-api at `url`, until the sender is stopped.
pub(crate) async fn run(reads: Reads, url: String, sender: Arc<Sender>, start: Instant) {
    let client = Arc::new(HttpClient::new(&url));
    let mut in_flight = JoinSet::new();
    for (number, path) in (0_u64..).zip(reads.paths.iter().cycle()) {
        let due = start + Duration::from_secs_f64(number as f64 / reads.rate);
        let wait = sender.stop.run_until_cancelled(sleep_until(due));
        if wait.await.is_none() {
            break;
        }
        while in_flight.try_join_next().is_some() {}
        let (sender, client, path) = (Arc::clone(&sender), Arc::clone(&client), path.clone());
        in_flight.spawn(async move { sender.query(&client, &path, due).await });
    }
}
