//! The parts of the OpenAPI document that operations share: schemas, headers, problems and bodies.

use ess_service::{
    openapi::{self, problem},
    problem::Problem,
};
use poem_openapi::{
    registry::{
        MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
    },
    types::Type,
};

use super::wire::{Named, reference};
use crate::question::Format;

/// A problem of an operation: its status and when it occurs.
pub(super) type DocumentedProblem = (u16, &'static str);

/// 406.
pub(super) const NOT_ACCEPTABLE: DocumentedProblem = (
    406,
    "None of the requested media types is available; `detail` lists the available ones",
);
/// 422 of an operation whose cost callers cannot raise.
pub(super) const INVALID: DocumentedProblem =
    (422, "A parameter is invalid; `errors` names every one");
/// 422 of an operation whose cost callers can raise.
pub(super) const INVALID_OR_EXPENSIVE: DocumentedProblem = (
    422,
    "A parameter is invalid or contradicts another (`errors` names every one), or the query exceeds a limit",
);
/// 503.
pub(super) const UNAVAILABLE: DocumentedProblem = (
    503,
    "The positions of `after` are not projected yet, the read model is unavailable, or too many queries are waiting",
);

/// The problems of a query over many playbacks.
pub(super) const PROBLEMS_OF_MANY: &[DocumentedProblem] =
    &[NOT_ACCEPTABLE, INVALID_OR_EXPENSIVE, UNAVAILABLE];
/// The problems of a query over the playbacks of one track or user.
pub(super) const PROBLEMS_OF_ONE: &[DocumentedProblem] = &[
    (404, "No playback of this track or user is stored"),
    INVALID_OR_EXPENSIVE,
    UNAVAILABLE,
];

/// The success of an operation.
#[derive(Debug)]
pub(super) struct Success {
    /// In words.
    pub(super) description: &'static str,
    /// The bodies by media type.
    pub(super) bodies: Vec<MetaMediaType>,
    /// Whether the `Accept` header chooses between media types.
    pub(super) is_negotiated: bool,
    /// Whether there can be a next page.
    pub(super) is_paged: bool,
    /// Whether a caller can request `Ess-Totals`.
    pub(super) has_totals: bool,
}

/// The responses of an operation: success, 304 and problems.
pub(super) fn responses(success: Success, problems: &[DocumentedProblem]) -> MetaResponses {
    let not_modified = MetaResponse {
        description: "The entity tag in `If-None-Match` is current; no body",
        status: Some(304),
        status_range: None,
        content: Vec::new(),
        headers: headers(&success),
    };
    let ok = MetaResponse {
        description: success.description,
        status: Some(200),
        status_range: None,
        headers: headers(&success),
        content: success.bodies,
    };
    let problems = problems
        .iter()
        .map(|(status, description)| problem(*status, description));
    MetaResponses {
        responses: [ok, not_modified].into_iter().chain(problems).collect(),
    }
}

fn headers(success: &Success) -> Vec<MetaHeader> {
    let seconds = MetaSchema {
        minimum: Some(0.0),
        maximum: Some(3_600.0),
        example: Some(0.into()),
        ..MetaSchema::new_with_format("integer", "int32")
    };
    let mut headers = vec![
        header(
            "ETag",
            "Strong entity tag of the body, for `If-None-Match`",
            text("\"9f86d081884c7d659a2feaa0c55ad015\""),
        ),
        header(
            "Cache-Control",
            "How long caches may reuse the answer",
            text("max-age=1"),
        ),
        header(
            "Age",
            "Seconds since the query, rounded up: `max-age` minus `Age` never exceeds the remaining lifetime",
            seconds,
        ),
        header(
            "Ess-Watermark",
            "The generation that answered, and when the newest event that it is known to include was accepted (a dictionary of RFC 9651)",
            text("generation=1, last-ingest-time=\"2026-11-23T10:00:00.130Z\""),
        ),
    ];
    if success.is_negotiated {
        headers.push(header(
            "Vary",
            "The answer depends on `Accept`",
            text("Accept"),
        ));
    }
    if success.has_totals {
        headers.push(optional(header(
            "Ess-Totals",
            "With totals=true: the metrics of all rows together, as a JSON object",
            text(r#"{"plays":1310,"unique_listeners":871}"#),
        )));
    }
    if success.is_paged {
        headers.push(optional(header(
            "Link",
            "The next page (RFC 8288); absent on the last page",
            text("</events?limit=10&cursor=AQAAAZ>; rel=\"next\""),
        )));
    }
    headers
}

/// A header that is always present.
pub(super) fn header(name: &str, description: &str, schema: MetaSchema) -> MetaHeader {
    MetaHeader {
        required: true,
        ..openapi::header(name, description, schema)
    }
}

fn optional(header: MetaHeader) -> MetaHeader {
    MetaHeader {
        required: false,
        ..header
    }
}

/// The schema of a text with an example.
pub(super) fn text(example: &str) -> MetaSchema {
    MetaSchema {
        example: Some(example.into()),
        ..MetaSchema::new("string")
    }
}

/// A schema in the place of a reference.
pub(super) fn inline(schema: MetaSchema) -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(schema))
}

/// A JSON body that is one `T`.
pub(super) fn one<T: Named>() -> Vec<MetaMediaType> {
    vec![body(Format::Json, reference::<T>())]
}

/// The bodies of a list of `T` in these formats. `csv` and `parquet` describe the tables.
pub(super) fn list<T: Named>(
    formats: &[Format],
    csv: &MetaSchema,
    parquet: &MetaSchema,
) -> Vec<MetaMediaType> {
    let bodies = formats.iter().map(|format| {
        let schema = match format {
            Format::Json => inline(array::<T>()),
            Format::NdJson => reference::<T>(),
            Format::Csv => inline(csv.clone()),
            Format::Parquet => inline(parquet.clone()),
        };
        body(*format, schema)
    });
    bodies.collect()
}

/// The schema of an array of `T`.
pub(super) fn array<T: Named>() -> MetaSchema {
    MetaSchema {
        items: Some(Box::new(reference::<T>())),
        ..MetaSchema::new("array")
    }
}

/// A body in a format.
pub(super) fn body(format: Format, schema: MetaSchemaRef) -> MetaMediaType {
    MetaMediaType {
        content_type: format.media_type(),
        schema,
    }
}

/// Registers the schema of every problem.
pub(super) fn register_problem(registry: &mut Registry) {
    <Problem as Type>::register(registry);
}
