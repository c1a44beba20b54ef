//! Completes the OpenAPI document of an API: the responses that every operation has, and an example for each response. It
//! lists every status instead of `default`, which could mean any.

use std::{collections::HashMap, marker::PhantomData};

use poem::{endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi,
    registry::{
        MetaApi, MetaHeader, MetaMediaType, MetaOperation, MetaResponse, MetaSchema, MetaSchemaRef,
        Registry,
    },
    types::Type,
};
use serde_json::Value;

use crate::problem::{PROBLEM_JSON, Problem};

/// Examples of responses.
pub trait Examples: Send + Sync {
    /// JSON: operation id, or `*` for all operations → status → body.
    const JSON: &'static str;
}

/// An API with a complete document.
#[derive(Debug)]
pub struct DocumentedApi<A, E>(A, PhantomData<E>);

impl<A, E> DocumentedApi<A, E> {
    /// `api` with the examples of `E`.
    pub const fn new(api: A) -> Self {
        Self(api, PhantomData)
    }
}

/// The routes of poem-openapi, by path and method.
pub(crate) type Routes = HashMap<String, HashMap<Method, BoxEndpoint<'static>>>;

impl<A: OpenApi, E: Examples> OpenApi for DocumentedApi<A, E> {
    fn meta() -> Vec<MetaApi> {
        let mut apis = A::meta();
        let (own, shared) = (parsed(E::JSON), parsed(COMMON_EXAMPLES));
        let paths = apis.iter_mut().flat_map(|api| &mut api.paths);
        for operation in paths.flat_map(|path| &mut path.operations) {
            complete(operation, &own, &shared);
        }
        apis
    }

    fn register(registry: &mut Registry) {
        A::register(registry);
        <Problem as Type>::register(registry);
    }

    fn add_routes(self, routes: &mut Routes) {
        self.0.add_routes(routes);
    }
}

/// The responses that every operation can have, because they come from the layers around it.
const COMMON_RESPONSES: [(u16, &str); 3] = [
    (
        431,
        "Request line and headers are larger than HTTP_MAX_HEADER_BYTES",
    ),
    (500, "A defect of this service"),
    (
        503,
        "All connections are in use, or credentials cannot be verified now",
    ),
];

/// Examples of these, and of responses about credentials.
const COMMON_EXAMPLES: &str = include_str!("openapi/examples.json");

#[expect(
    clippy::expect_used,
    reason = "the text is part of the program, and tested"
)]
fn parsed(examples: &str) -> Value {
    serde_json::from_str(examples).expect("JSON")
}

fn complete(operation: &mut MetaOperation, examples: &Value, shared: &Value) {
    let id = operation.operation_id.unwrap_or_default();
    let responses = &mut operation.responses.responses;
    responses.retain(|response| response.status.is_some());
    for (status, description) in COMMON_RESPONSES {
        if responses.iter().all(|known| known.status != Some(status)) {
            responses.push(problem(status, description));
        }
    }
    // By status.
    responses.sort_by_key(|response| response.status);
    for response in responses {
        let status = response.status.unwrap_or_default().to_string();
        let found = [&examples[id], &examples["*"], &shared["*"]]
            .into_iter()
            .find_map(|of| of.get(&status));
        if let Some(example) = found {
            for media in &mut response.content {
                add_example(&mut media.schema, example);
            }
        }
    }
}

/// Adds an example to a schema. A referenced schema is shared, so that it is wrapped instead of changed.
fn add_example(schema: &mut MetaSchemaRef, example: &Value) {
    match schema {
        MetaSchemaRef::Inline(inline) => inline.example = Some(example.clone()),
        MetaSchemaRef::Reference(name) => {
            let shared = MetaSchemaRef::Reference(name.clone());
            *schema = MetaSchemaRef::Inline(Box::new(MetaSchema {
                all_of: vec![shared],
                example: Some(example.clone()),
                ..MetaSchema::ANY
            }));
        }
    }
}

/// The response of a problem; 503 has the header `Retry-After`.
pub fn problem(status: u16, description: &'static str) -> MetaResponse {
    let headers = if status == 503 {
        vec![retry_after()]
    } else {
        Vec::new()
    };
    MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType {
            content_type: PROBLEM_JSON,
            schema: Problem::schema_ref(),
        }],
        headers,
    }
}

/// The header of problems that are transient.
pub fn retry_after() -> MetaHeader {
    header(
        "Retry-After",
        "Seconds to wait before a retry.",
        MetaSchema {
            minimum: Some(0.0),
            example: Some(1.into()),
            ..MetaSchema::new("integer")
        },
    )
}

/// An optional header.
pub fn header(name: &str, description: &str, schema: MetaSchema) -> MetaHeader {
    MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required: false,
        deprecated: false,
        schema: MetaSchemaRef::Inline(Box::new(schema)),
    }
}

/// Checks that type, title and status of every example of a problem match, and that it is listed under its status. For
/// tests.
///
/// # Errors
/// The first example that does not.
pub fn check_problem_examples(examples: &str) -> Result<(), String> {
    use crate::problem::ProblemKind;
    let examples = parsed(examples);
    let operations = examples.as_object().into_iter().flatten();
    let bodies = operations
        .flat_map(|(_, answers)| answers.as_object().into_iter().flatten())
        .filter(|(_, body)| body.get("type").is_some());
    for (status, body) in bodies {
        let kind = ProblemKind::ALL.iter().find(|kind| {
            body["type"] == kind.uri()
                && body["title"] == kind.title()
                && body["status"] == kind.status().as_u16()
                && *status == kind.status().as_u16().to_string()
        });
        if kind.is_none() || body["detail"].as_str().is_none_or(str::is_empty) {
            return Err(format!("under {status}: {body}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_example_is_a_problem_of_its_status() {
        assert_eq!(check_problem_examples(COMMON_EXAMPLES), Ok(()));
        let mut wrong = parsed(COMMON_EXAMPLES);
        wrong["*"]["431"]["status"] = 430.into();
        assert!(check_problem_examples(&wrong.to_string()).is_err());
    }

    #[test]
    fn every_common_response_has_an_example() {
        for (status, _) in COMMON_RESPONSES {
            assert!(
                parsed(COMMON_EXAMPLES)["*"]
                    .get(status.to_string())
                    .is_some(),
                "{status}"
            );
        }
    }
}
