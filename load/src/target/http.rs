//! Over HTTP into the command-api, as any client would: single items, or many as NDJSON. Facts whose fate is unknown are
//! sent again under the same ids, which is always safe; each time after a wait, and not for ever.

use std::error::Error as _;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Delivery, Outcome, Reason, Shape};
use crate::error::Error;
use crate::lane::Due;
use crate::send::response as answer;

/// Longer than the command-api waits for the broker, so that its own answer is heard.
const ANSWERS_WITHIN: Duration = Duration::from_mins(1);
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);
/// A longer `Retry-After` is cut to this.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// With [`LONGEST_BACKOFF`] and jitter one to two minutes in all: a restart of the service is sat out.
const MOST_REPEATS: usize = 15;
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

/// A command-api.
pub(crate) struct Http {
    client: Client,
    base: String,
    shape: Shape,
}

/// One answer, or none.
struct Answer {
    outcomes: Vec<Outcome>,
    retry_after: Option<Duration>,
}

impl Http {
    /// The command-api at `base`; `connections` are kept alive.
    ///
    /// # Errors
    /// When nothing answers there.
    pub(crate) async fn connect(
        base: &str,
        shape: Shape,
        connections: usize,
    ) -> Result<Self, Error> {
        let client = Client::builder()
            .pool_max_idle_per_host(connections)
            .connect_timeout(CONNECTS_WITHIN)
            .timeout(ANSWERS_WITHIN)
            .no_proxy()
            .build()
            .map_err(Error::Client)?;
        let base = base.trim_end_matches('/').to_owned();
        let greeting = client.get(format!("{base}/")).send().await;
        greeting.map_err(|error| Error::Unreachable {
            url: base.clone(),
            reason: root_cause(&error),
        })?;
        Ok(Self {
            client,
            base,
            shape,
        })
    }

    pub(crate) async fn deliver(&self, batch: &[Due], stop: &CancellationToken) -> Delivery {
        let bodies: Vec<_> = batch.iter().map(|due| self.shape.write(due)).collect();
        let every: Vec<_> = bodies.iter().map(String::as_str).collect();
        let Answer {
            mut outcomes,
            mut retry_after,
        } = self.ask(&every).await;
        let mut repeats = 0;
        for backoff in backoff() {
            let open: Vec<_> = positions_of_unknown(&outcomes).collect();
            let wait = retry_after.unwrap_or(backoff).min(LONGEST_WAIT);
            if open.is_empty() || stop.run_until_cancelled(sleep(wait)).await.is_none() {
                break;
            }
            repeats += 1;
            let again: Vec<_> = open.iter().map(|at| every[*at]).collect();
            let answer = self.ask(&again).await;
            retry_after = answer.retry_after;
            for (at, outcome) in open.into_iter().zip(answer.outcomes) {
                outcomes[at] = outcome;
            }
        }
        Delivery { outcomes, repeats }
    }

    async fn ask(&self, bodies: &[&str]) -> Answer {
        let url = format!("{}{}", self.base, self.shape.path());
        let (media_type, body) = match bodies {
            [body] => (self.shape.media_type(), (*body).to_owned()),
            many => ("application/x-ndjson", many.join("\n")),
        };
        let request = self.client.post(url).header(CONTENT_TYPE, media_type);
        let answered = async { read(request.body(body).send().await?, bodies.len()).await };
        answered.await.unwrap_or_else(|error| Answer {
            outcomes: vec![Outcome::Unknown(no_answer(&error)); bodies.len()],
            retry_after: None,
        })
    }
}

async fn read(response: Response, count: usize) -> reqwest::Result<Answer> {
    let status = response.status().as_u16();
    let seconds = response.headers().get(RETRY_AFTER);
    let seconds = seconds.and_then(|value| value.to_str().ok()?.parse().ok());
    let body = response.bytes().await?;
    Ok(Answer {
        outcomes: answer::read(status, &body, count),
        retry_after: seconds.map(Duration::from_secs),
    })
}

fn positions_of_unknown(outcomes: &[Outcome]) -> impl Iterator<Item = usize> {
    let numbered = outcomes.iter().enumerate();
    numbered.filter_map(|(at, outcome)| matches!(outcome, Outcome::Unknown(_)).then_some(at))
}

fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(LONGEST_BACKOFF)
        .with_max_times(MOST_REPEATS)
        .with_jitter()
        .build()
}

fn no_answer(error: &reqwest::Error) -> Reason {
    let kind = if error.is_timeout() {
        format!("no answer within {} s", ANSWERS_WITHIN.as_secs())
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        "no answer".to_owned()
    };
    let detail = root_cause(error);
    Reason { kind, detail }
}

/// The innermost cause: what the system said.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(|outer| outer.source()) {
        cause = Some(inner);
    }
    cause.map_or_else(|| error.to_string(), ToString::to_string)
}
