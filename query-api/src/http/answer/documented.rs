//! How answers are documented: statuses, headers and bodies of every path, in OpenAPI's words.

use ess_service::{
    openapi::{self, problem},
    problem::Problem,
};
use poem_openapi::{
    ApiResponse,
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, Registry},
    types::Type,
};

use super::Answer;

/// What a path answers with.
pub(crate) trait Document: Send {
    /// The success in words.
    const ABOUT: &'static str;
    /// Whether the `Accept` header chooses between forms.
    const CHOOSES_FORMAT: bool;
    /// Whether there can be a next page.
    const PAGED: bool;
    /// Whether `Ess-Totals` can be asked for.
    const TOTALS: bool = false;
    /// The statuses of its problems besides 500, and when they are met.
    const PROBLEMS: &'static [(u16, &'static str)];

    /// The bodies by media type.
    fn contents() -> Vec<MetaMediaType>;

    /// Names the schemas that `contents` refers to.
    fn register(registry: &mut Registry);
}

impl<D: Document> ApiResponse for Answer<D> {
    fn meta() -> MetaResponses {
        let ok = MetaResponse {
            description: D::ABOUT,
            status: Some(200),
            status_range: None,
            content: D::contents(),
            headers: headers::<D>(),
        };
        let not_modified = MetaResponse {
            description: "What `If-None-Match` names is still true; no body",
            status: Some(304),
            status_range: None,
            content: Vec::new(),
            headers: headers::<D>(),
        };
        let problems = D::PROBLEMS
            .iter()
            .map(|(status, about)| problem(*status, about));
        MetaResponses {
            responses: [ok, not_modified].into_iter().chain(problems).collect(),
        }
    }

    fn register(registry: &mut Registry) {
        D::register(registry);
        <Problem as Type>::register(registry);
    }
}

fn headers<D: Document>() -> Vec<MetaHeader> {
    let text = |example: &str| MetaSchema {
        example: Some(example.into()),
        ..MetaSchema::new("string")
    };
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
            "How long the answer may be told again",
            text("max-age=1"),
        ),
        header(
            "Age",
            "Seconds begun since the read model was asked: `max-age` less this is never more than what is left",
            seconds,
        ),
        header(
            "Ess-Watermark",
            "The generation that answered, and when the newest event it held at least was accepted (a dictionary of RFC 9651)",
            text("generation=1, last-ingest-time=\"2026-11-23T10:00:00.130Z\""),
        ),
    ];
    if D::CHOOSES_FORMAT {
        headers.push(header(
            "Vary",
            "The answer depends on `Accept`",
            text("Accept"),
        ));
    }
    if D::TOTALS {
        headers.push(MetaHeader {
            required: false,
            ..header(
                "Ess-Totals",
                "With totals=true: the metrics of all rows together, as a JSON object",
                text(r#"{"plays":1310,"unique_listeners":871}"#),
            )
        });
    }
    if D::PAGED {
        headers.push(MetaHeader {
            required: false,
            ..header(
                "Link",
                "The next page (RFC 8288); absent on the last",
                text("</events?limit=10&cursor=AQAAAZ>; rel=\"next\""),
            )
        });
    }
    headers
}

/// A header that is always there.
pub(crate) fn header(name: &str, about: &str, schema: MetaSchema) -> MetaHeader {
    MetaHeader {
        required: true,
        ..openapi::header(name, about, schema)
    }
}
