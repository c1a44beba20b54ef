//! Sends facts again whose outcome is unknown, under the same ids, which is always safe: after a backoff or the `Retry-After` of
//! the response, and a bounded number of times.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::target::Target;
use crate::facts::feed::Item;
use crate::record::outcome::{Delivery, Outcome};

/// A longer `Retry-After` is cut to this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(10);
/// With [`MAX_BACKOFF`] and jitter these take one to two minutes: longer than a restart of the service.
const MAX_RETRIES: usize = 15;
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Delivers facts. Over HTTP it retries until every outcome is known, the retries are used up, or `stop` is cancelled.
pub(crate) async fn deliver_with_retries(
    target: &Target,
    items: &[&Item],
    stop: &CancellationToken,
) -> Delivery {
    let mut delivery = target.deliver(items).await;
    if let Target::Kafka(_) = target {
        // librdkafka has retried already, without duplicates; another produce request could append a record twice.
        return delivery;
    }
    for backoff in backoff() {
        let unknown = unknown(&delivery.outcomes);
        let wait = delivery.retry_after.unwrap_or(backoff).min(MAX_RETRY_AFTER);
        if unknown.is_empty() || stop.run_until_cancelled(sleep(wait)).await.is_none() {
            break;
        }
        let again: Vec<_> = unknown.iter().map(|at| items[*at]).collect();
        let Delivery {
            outcomes,
            status,
            positions,
            retry_after,
            retries: _,
        } = target.deliver(&again).await;
        for (at, outcome) in unknown.into_iter().zip(outcomes) {
            delivery.outcomes[at] = outcome;
        }
        delivery.positions.extend(positions);
        delivery.status = status;
        delivery.retry_after = retry_after;
        delivery.retries += 1;
    }
    delivery
}

/// The indexes of the facts whose outcome is unknown.
fn unknown(outcomes: &[Outcome]) -> Vec<usize> {
    let numbered = outcomes.iter().enumerate();
    let unknown =
        numbered.filter_map(|(at, outcome)| matches!(outcome, Outcome::Unknown(_)).then_some(at));
    unknown.collect()
}

fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(MAX_BACKOFF)
        .with_max_times(MAX_RETRIES)
        .with_jitter()
        .build()
}
