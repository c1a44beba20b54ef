//! The response to an append request: a position for each event in the log, a problem for each item that is not.

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

use crate::{config::LinksConfig, errors::append_problem, kafka::append::Outcome};

/// The header with the positions of the appended events.
pub(crate) const ESS_POSITION: &str = "Ess-Position";

/// All characters except the unreserved ones of RFC 3986.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An appended item.
#[derive(Debug, Serialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct Appended {
    /// Id of the event: the id of the item, or a new one if it has none.
    event_id: String,
    /// Id of the playback, if the item names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    playback_id: Option<String>,
    /// Position of the event in Kafka, `partition:offset`. Pass it to the query-api as `?after=`.
    position: String,
}

/// An appended untyped event: the response of the predecessor, with more fields.
#[derive(Debug, Serialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct Queued {
    /// Always `queued`.
    #[oai(read_only)]
    status: &'static str,
    /// Id of the event.
    event_id: String,
    /// Id of the playback: the id of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    playback_id: Option<String>,
    /// Position of the event in Kafka, `partition:offset`.
    position: String,
}

/// The outcome of a list.
#[derive(Debug, Serialize, Object)]
pub(crate) struct AppendedList {
    /// Number of appended items.
    appended: usize,
    /// Number of items that were not appended.
    refused: usize,
    /// The outcome of each item, in the order of the request.
    items: Vec<ListItem>,
}

/// The outcome of one item of a list: a position or a problem.
#[derive(Debug, Serialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct ListItem {
    /// Index of the item in the request, from 0.
    index: usize,
    /// Id of the event; missing if the item is invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    /// Position of the event in Kafka, `partition:offset`.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    /// Why the item has no position.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

impl ListItem {
    /// The list item of an event.
    pub(crate) fn event(index: usize, id: &EventId, outcome: Outcome) -> Self {
        Self {
            index,
            event_id: Some(id.to_string()),
            position: outcome.ok().map(|position| position.to_string()),
            problem: outcome.err().map(|error| append_problem(error, id)),
        }
    }

    /// The list item of an invalid item.
    pub(crate) fn invalid(index: usize, problem: Problem) -> Self {
        Self {
            index,
            event_id: None,
            position: None,
            problem: Some(problem),
        }
    }
}

/// A response with the outcome of each item.
#[derive(Debug)]
pub(crate) struct AppendResponse {
    status: StatusCode,
    position: String,
    location: Option<String>,
    body: String,
}

impl AppendResponse {
    /// The response to a body that is one item.
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

    /// The response to a list, with the positions of its appended items.
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

/// The highest position of each partition, in the format of `?after=`. A reader that waits for them sees all the
/// items.
fn highest_by_partition(positions: &[Position]) -> String {
    let mut highest: BTreeMap<u16, Position> = BTreeMap::new();
    for position in positions {
        let last = highest.entry(position.partition).or_insert(*position);
        *last = (*last).max(*position);
    }
    let texts: Vec<_> = highest.values().map(Position::to_string).collect();
    texts.join(",")
}

fn json(body: &impl Serialize) -> String {
    #[expect(
        clippy::expect_used,
        reason = "strings and numbers with string keys always serialize"
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
