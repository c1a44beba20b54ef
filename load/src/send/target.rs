//! Where facts are sent: over HTTP to a command-api, or straight into Kafka. Reports the outcome of each fact, and never decides
//! what that means for the run.

use std::time::Duration;

use hyper::header::{HeaderMap, RETRY_AFTER};

use super::kafka::KafkaTopic;
use super::response;
use crate::facts::feed::Item;
use crate::http::{HttpClient, HttpRequest, HttpResponse};
use crate::record::outcome::{Delivery, Outcome, Reason};
use crate::scenario::Body;

const POSITION: &str = "ess-position";

/// The receiver of a run's facts.
pub(crate) enum Target {
    Http(CommandApi),
    Kafka(KafkaTopic),
}

/// A command-api, and how facts are written for it.
pub(crate) struct CommandApi {
    client: HttpClient,
    body: Body,
}

impl Target {
    /// Sends one request.
    pub(crate) async fn deliver(&self, items: &[&Item]) -> Delivery {
        match self {
            Self::Http(api) => api.deliver(items).await,
            Self::Kafka(topic) => Delivery {
                outcomes: topic.append(items).await,
                ..Delivery::default()
            },
        }
    }
}

impl CommandApi {
    /// The command-api at `url`.
    pub(crate) fn new(url: &str, body: Body) -> Self {
        let client = HttpClient::new(url);
        Self { client, body }
    }

    async fn deliver(&self, items: &[&Item]) -> Delivery {
        let bodies: Vec<_> = items.iter().map(|item| item.body.as_str()).collect();
        let media_type = self.body.media_type(items.len());
        let request = HttpRequest::post(self.body.path(), media_type, bodies.join("\n"));
        match self.client.send(&request).await {
            Ok(response) => read(&response, items.len()),
            Err(error) => {
                let reason = Reason {
                    kind: error.to_string(),
                    detail: String::new(),
                };
                Delivery {
                    outcomes: vec![Outcome::Unknown(reason); items.len()],
                    ..Delivery::default()
                }
            }
        }
    }
}

fn read(response: &HttpResponse, count: usize) -> Delivery {
    let status = response.status.as_u16();
    let positions = text(&response.headers, POSITION).split(',');
    let retry_after = text(&response.headers, RETRY_AFTER.as_str()).parse().ok();
    Delivery {
        outcomes: response::outcomes(status, &response.body, count),
        status: Some(status),
        positions: positions
            .filter_map(|one| one.trim().parse().ok())
            .collect(),
        retry_after: retry_after.map(Duration::from_secs),
        retries: 0,
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    let value = headers.get(name);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
