//! What a caller is told of items that were taken: where each lies in the log, or why it does not.

use std::collections::BTreeMap;

use ess_schema::{
    EventId, Position,
    decode::{Item, Shape},
};
use ess_service::problem::Problem;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::{
    IntoResponse, Response,
    http::{StatusCode, header},
};
use poem_openapi::Object;
use serde::Serialize;

use crate::{config::LinksConfig, errors, kafka::Outcome};

/// The header that says where the log holds what was appended.
pub(crate) const ESS_POSITION: &str = "Ess-Position";

/// Everything but the unreserved characters of RFC 3986.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An item that was appended.
#[derive(Debug, Serialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct Appended {
    /// The id of its event: its own, else the one made for it.
    event_id: String,
    /// The playback it belongs to; left out when it names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    playback_id: Option<String>,
    /// Where the log holds it, `partition:offset`: what `?after=` of the query-api takes.
    position: String,
}

/// An untyped event of the predecessor that was appended: its answer, and more.
#[derive(Debug, Serialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct Queued {
    /// Always `queued`.
    #[oai(read_only)]
    status: &'static str,
    /// The id of its event.
    event_id: String,
    /// The playback it is: the same id.
    #[serde(skip_serializing_if = "Option::is_none")]
    playback_id: Option<String>,
    /// Where the log holds it, `partition:offset`.
    position: String,
}

/// What became of a list.
#[derive(Debug, Serialize, Object)]
pub(crate) struct AppendedList {
    /// How many items were appended.
    appended: usize,
    /// How many were not.
    refused: usize,
    /// What became of each, in the order of the request.
    items: Vec<ListItem>,
}

/// What became of one item of a list: it has a position or a problem.
#[derive(Debug, Serialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct ListItem {
    /// Its place in the request, from 0.
    index: usize,
    /// The id of its event; left out when it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    /// Where the log holds it, `partition:offset`.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    /// Why it has no position.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

impl ListItem {
    /// An event that was to be appended.
    pub(crate) fn of(index: usize, id: &EventId, outcome: Outcome) -> Self {
        Self {
            index,
            event_id: Some(id.to_string()),
            position: outcome.ok().map(|position| position.to_string()),
            problem: outcome.err().map(|error| errors::of_append(error, id)),
        }
    }

    /// An item that is no event.
    pub(crate) fn invalid(index: usize, problem: Problem) -> Self {
        Self {
            index,
            event_id: None,
            position: None,
            problem: Some(problem),
        }
    }
}

/// An answer that is no error.
#[derive(Debug)]
pub(crate) struct AppendResponse {
    status: StatusCode,
    position: String,
    location: Option<String>,
    body: String,
}

impl AppendResponse {
    /// The answer to a body that is one item.
    pub(crate) fn one(
        Item { event, shape }: &Item,
        position: Position,
        links: &LinksConfig,
    ) -> Self {
        let position = position.to_string();
        let event_id = event.id.to_string();
        let playback_id = event.playback_id.as_ref().map(ToString::to_string);
        let location = playback_id.as_deref().map(|playback_id| {
            let (base, id) = (&links.query_api, utf8_percent_encode(playback_id, IN_PATH));
            format!("{base}/stats/playback/{id}?after={position}")
        });
        let (status, body) = match shape {
            Shape::Untyped => {
                let queued = Queued {
                    status: "queued",
                    event_id,
                    playback_id,
                    position: position.clone(),
                };
                (StatusCode::OK, json(&queued))
            }
            Shape::Command | Shape::CloudEvent | Shape::Flat => {
                let appended = Appended {
                    event_id,
                    playback_id,
                    position: position.clone(),
                };
                (StatusCode::ACCEPTED, json(&appended))
            }
        };
        Self {
            status,
            position,
            location,
            body,
        }
    }

    /// The answer to a list; `positions` are those of the items appended.
    pub(crate) fn list(items: Vec<ListItem>, positions: &[Position]) -> Self {
        let appended = positions.len();
        let refused = items.len() - appended;
        let status = if refused == 0 {
            StatusCode::ACCEPTED
        } else {
            StatusCode::MULTI_STATUS
        };
        let list = AppendedList {
            appended,
            refused,
            items,
        };
        Self {
            status,
            position: highest_by_partition(positions),
            location: None,
            body: json(&list),
        }
    }
}

/// What a reader has to wait for to see all of them: the highest position of each partition, as `?after=` takes it.
fn highest_by_partition(positions: &[Position]) -> String {
    let mut highest: BTreeMap<u16, Position> = BTreeMap::new();
    for position in positions {
        let known = highest.entry(position.partition).or_insert(*position);
        *known = (*known).max(*position);
    }
    let texts: Vec<_> = highest.values().map(Position::to_string).collect();
    texts.join(",")
}

fn json(body: &impl Serialize) -> String {
    #[expect(
        clippy::expect_used,
        reason = "strings and numbers under text names always serialize"
    )]
    serde_json::to_string(body).expect("JSON")
}

impl IntoResponse for AppendResponse {
    fn into_response(self) -> Response {
        let mut response = Response::builder()
            .status(self.status)
            .content_type("application/json");
        if !self.position.is_empty() {
            response = response.header(ESS_POSITION, self.position);
        }
        if let Some(location) = self.location {
            response = response.header(header::LOCATION, location);
        }
        response.body(self.body)
    }
}
