//! Documents the responses of each operation: statuses, headers, bodies. [`crate::response`] and [`crate::errors`] make the
//! responses themselves.

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
    errors::RequestError,
    response::{AppendResponse, Appended, AppendedList, ESS_POSITION, Queued},
};

/// The response to a request of which nothing has a position.
#[derive(Debug)]
pub(crate) struct Rejection(Problem);

impl From<RequestError> for Rejection {
    fn from(error: RequestError) -> Self {
        Self(error.into())
    }
}

impl From<Rejection> for Error {
    fn from(Rejection(problem): Rejection) -> Self {
        problem.into()
    }
}

/// The response to events, which may also be the predecessor's.
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
            "The untyped event was appended",
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
        let appended = response(
            202,
            "Everything was appended",
            (JSON, MetaSchemaRef::Inline(Box::new(one_or_list))),
            vec![position(), location()],
        );
        let partial = response(
            207,
            "Some items of the list were not appended; each of them has a problem",
            (JSON, AppendedList::schema_ref()),
            vec![position()],
        );
        MetaResponses {
            responses: vec![appended, partial],
        }
    }

    fn register(registry: &mut Registry) {
        Appended::register(registry);
        AppendedList::register(registry);
    }
}

impl ApiResponse for Rejection {
    fn meta() -> MetaResponses {
        let errors = ERRORS.into_iter();
        MetaResponses {
            responses: errors
                .map(|(status, description)| problem(status, description))
                .collect(),
        }
    }

    fn register(registry: &mut Registry) {
        <Problem as ApiResponse>::register(registry);
    }
}

/// A redirect to the events of the query-api.
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
        let redirect = MetaResponse {
            description: "Events are served by the query-api, at the same path with the same query",
            status: Some(307),
            status_range: None,
            content: Vec::new(),
            headers: vec![header(
                "Location",
                "URL of the same request to the query-api.",
                text("http://127.0.0.1:8001/events?limit=3"),
            )],
        };
        MetaResponses {
            responses: vec![redirect],
        }
    }

    fn register(_: &mut Registry) {}
}

const ERRORS: [(u16, &str); 8] = [
    (
        400,
        "The body is not JSON (the detail gives line and column), or a parameter is invalid. Nothing was appended",
    ),
    (
        408,
        "The body did not arrive within REQUEST_READ_TIMEOUT_MS. Nothing was appended",
    ),
    (
        413,
        "The body, or its single item, is too large, or the body has too many items. Nothing was appended",
    ),
    (
        415,
        "The media type, or the content coding, is not supported. Nothing was appended",
    ),
    (
        422,
        "The item is invalid, or with all_or_nothing an item of the list; each violation has a JSON pointer. Nothing was appended",
    ),
    (
        431,
        "The request line and the headers exceed HTTP_MAX_HEADER_BYTES. Nothing was appended",
    ),
    (
        503,
        "Kafka cannot append the events now, or too much is in flight. Nothing was appended; retry the request",
    ),
    (
        504,
        "Kafka did not confirm the item in time. It may or may not be appended: repeat it with the id in event_id",
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
        "Position of the event in Kafka, `partition:offset`; for a list the highest position of each partition, separated by \
         commas. Pass it to the query-api as `?after=`.",
        text("7:1234"),
    )
}

fn location() -> MetaHeader {
    header(
        "Location",
        "URL of the playback at the query-api, which waits until the playback includes this item. Only for a single item that \
         names a playback.",
        text("http://127.0.0.1:8001/stats/playback/playback-1?after=7:1234"),
    )
}
