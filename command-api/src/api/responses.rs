//! Every answer as the document tells it: statuses, headers, bodies. What is really answered is made in
//! [`crate::answer`] and [`crate::errors`].

use ess_service::{
    openapi::{header, problem},
    problem::Problem,
};
use poem::{
    Error, IntoResponse, Response,
    http::{StatusCode, header::LOCATION},
};
use poem_openapi::{
    ApiResponse,
    registry::{
        MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
    },
    types::Type,
};

use crate::{
    body::media_type::JSON,
    response::{AppendResponse, Appended, AppendedList, ESS_POSITION, Queued},
};

/// A request of which nothing was appended, or whose one item was not.
#[derive(Debug)]
pub(crate) struct Rejection(Problem);

impl From<Problem> for Rejection {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<Rejection> for Error {
    fn from(Rejection(problem): Rejection) -> Self {
        problem.into()
    }
}

/// The answer to events: also that of the predecessor.
pub(crate) struct EventsResponse(pub(crate) AppendResponse);

impl IntoResponse for EventsResponse {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl ApiResponse for EventsResponse {
    fn meta() -> MetaResponses {
        let queued = response(
            200,
            "An untyped event was appended",
            (JSON, Queued::schema_ref()),
            vec![position(), location()],
        );
        let mut responses = vec![queued];
        responses.append(&mut AppendResponse::meta().responses);
        MetaResponses { responses }
    }

    fn register(registry: &mut Registry) {
        Queued::register(registry);
        AppendResponse::register(registry);
    }
}

impl ApiResponse for AppendResponse {
    fn meta() -> MetaResponses {
        let one_or_list = MetaSchema {
            any_of: vec![Appended::schema_ref(), AppendedList::schema_ref()],
            ..MetaSchema::ANY
        };
        let all = response(
            202,
            "Everything was appended",
            (JSON, MetaSchemaRef::Inline(Box::new(one_or_list))),
            vec![position(), location()],
        );
        let some = response(
            207,
            "Some items of a list were not appended: each says why",
            (JSON, AppendedList::schema_ref()),
            vec![position()],
        );
        MetaResponses {
            responses: vec![all, some],
        }
    }

    fn register(registry: &mut Registry) {
        Appended::register(registry);
        AppendedList::register(registry);
    }
}

impl ApiResponse for Rejection {
    fn meta() -> MetaResponses {
        let refusals = REFUSALS.into_iter();
        MetaResponses {
            responses: refusals
                .map(|(status, about)| problem(status, about))
                .collect(),
        }
    }

    fn register(registry: &mut Registry) {
        <Problem as ApiResponse>::register(registry);
    }
}

/// Where events are read.
pub(crate) struct EventsRedirect(pub(crate) String);

impl IntoResponse for EventsRedirect {
    fn into_response(self) -> Response {
        Response::builder()
            .status(StatusCode::TEMPORARY_REDIRECT)
            .header(LOCATION, self.0)
            .finish()
    }
}

impl ApiResponse for EventsRedirect {
    fn meta() -> MetaResponses {
        let there = MetaResponse {
            description: "Events are read at the query-api, under the same path and with the same query",
            status: Some(307),
            status_range: None,
            content: Vec::new(),
            headers: vec![header(
                "Location",
                "The same at the query-api.",
                text("http://127.0.0.1:8001/events?limit=3"),
            )],
        };
        MetaResponses {
            responses: vec![there],
        }
    }

    fn register(_: &mut Registry) {}
}

const REFUSALS: [(u16, &str); 8] = [
    (
        400,
        "The body is not JSON (with line and column), or a parameter is wrong: nothing was appended",
    ),
    (
        408,
        "The body did not arrive in time (REQUEST_READ_TIMEOUT_MS): nothing was appended",
    ),
    (
        413,
        "The body, or its one item, is too large, or has too many items: nothing was appended",
    ),
    (
        415,
        "The media type, or the content coding, is not taken: nothing was appended",
    ),
    (
        422,
        "The item, or with all_or_nothing a list, breaks rules, told with a JSON pointer each: nothing was appended",
    ),
    (
        431,
        "The first line and the headers are too large (HTTP_MAX_HEADER_BYTES): nothing was appended",
    ),
    (
        503,
        "The log cannot take it now, or too much is in flight: nothing was appended, and it can be tried again",
    ),
    (
        504,
        "The log did not say in time whether it took the item: repeat it with the same id, which is told in event_id",
    ),
];

fn response(
    status: u16,
    description: &'static str,
    (content_type, schema): (&'static str, MetaSchemaRef),
    headers: Vec<MetaHeader>,
) -> MetaResponse {
    MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType {
            content_type,
            schema,
        }],
        headers,
    }
}

fn text(example: &str) -> MetaSchema {
    MetaSchema {
        example: Some(example.into()),
        ..MetaSchema::new("string")
    }
}

fn position() -> MetaHeader {
    header(
        ESS_POSITION,
        "Where the log holds it: `partition:offset`; of a list the highest of each partition, separated by commas. \
         `?after=` of the query-api takes it.",
        text("7:1234"),
    )
}

fn location() -> MetaHeader {
    header(
        "Location",
        "Where the playback is read, as soon as this item is in it; for one item that names a playback.",
        text("http://127.0.0.1:8001/stats/playback/playback-1?after=7:1234"),
    )
}
