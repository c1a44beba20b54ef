//! What an API's document says beyond each operation's own words: the answers that every operation has, and an example of each
//! answer. Statuses are named one by one: a `default` would promise anything.

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

/// Examples of an API's answers.
pub trait Examples: Send + Sync {
    /// JSON that has, under an operation's id or `*` for all, a body under each status.
    const JSON: &'static str;
}

/// An API whose document is complete.
#[derive(Debug)]
pub struct DocumentedApi<A, E>(A, PhantomData<E>);

impl<A, E> DocumentedApi<A, E> {
    /// `api` with the examples of `E`.
    pub const fn new(api: A) -> Self {
        Self(api, PhantomData)
    }
}

type Routes = HashMap<String, HashMap<Method, BoxEndpoint<'static>>>;

impl<A: OpenApi, E: Examples> OpenApi for DocumentedApi<A, E> {
    fn meta() -> Vec<MetaApi> {
        let mut apis = A::meta();
        let (own, shared) = (parsed(E::JSON), parsed(SHARED));
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

/// What any operation may answer, because it is answered before or around it.
const OF_ALL: [(u16, &str); 3] = [
    (
        431,
        "The first line and the headers are larger than HTTP_MAX_HEADER_BYTES",
    ),
    (500, "A defect of this service"),
    (
        503,
        "Too many connections are open, or credentials cannot be checked now",
    ),
];

/// Examples of those, and of answers about credentials.
const SHARED: &str = include_str!("openapi/examples.json");

#[expect(
    clippy::expect_used,
    reason = "the text is a part of this program, and tested"
)]
fn parsed(examples: &str) -> Value {
    serde_json::from_str(examples).expect("JSON")
}

fn complete(operation: &mut MetaOperation, examples: &Value, shared: &Value) {
    let id = operation.operation_id.unwrap_or_default();
    let responses = &mut operation.responses.responses;
    responses.retain(|response| response.status.is_some());
    for (status, description) in OF_ALL {
        if responses.iter().all(|known| known.status != Some(status)) {
            responses.push(problem(status, description));
        }
    }
    // In the order of statuses.
    responses.sort_by_key(|response| response.status);
    for response in responses {
        let status = response.status.unwrap_or_default().to_string();
        let found = [&examples[id], &examples["*"], &shared["*"]]
            .into_iter()
            .find_map(|of| of.get(&status));
        if let Some(example) = found {
            for media in &mut response.content {
                exemplify(&mut media.schema, example);
            }
        }
    }
}

/// Gives a schema its example. One that is only referred to is shared by others: it stays as it is, inside one that is not.
fn exemplify(schema: &mut MetaSchemaRef, example: &Value) {
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

/// A problem with this status, with `Retry-After` where it passes by itself.
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

/// The header beside every problem that passes by itself.
pub fn retry_after() -> MetaHeader {
    header(
        "Retry-After",
        "Seconds after which trying again makes sense.",
        MetaSchema {
            minimum: Some(0.0),
            example: Some(1.into()),
            ..MetaSchema::new("integer")
        },
    )
}

/// A header that need not be there.
pub fn header(name: &str, description: &str, schema: MetaSchema) -> MetaHeader {
    MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required: false,
        deprecated: false,
        schema: MetaSchemaRef::Inline(Box::new(schema)),
    }
}

/// Whether every example of a problem among these is one: its type, title and status belong together, and it stands under this
/// status. For tests.
///
/// # Errors
/// The first that is none.
pub fn check_problem_examples(examples: &str) -> Result<(), String> {
    use crate::problem::ProblemKind;
    let examples = parsed(examples);
    let operations = examples.as_object().into_iter().flatten();
    let each = operations
        .flat_map(|(_, answers)| answers.as_object().into_iter().flatten())
        .filter(|(_, body)| body.get("type").is_some());
    for (status, body) in each {
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
    fn every_shared_example_is_a_problem_of_its_status() {
        assert_eq!(check_problem_examples(SHARED), Ok(()));
        let mut wrong = parsed(SHARED);
        wrong["*"]["431"]["status"] = 430.into();
        assert!(check_problem_examples(&wrong.to_string()).is_err());
    }

    #[test]
    fn what_any_operation_answers_has_an_example() {
        for (status, _) in OF_ALL {
            assert!(
                parsed(SHARED)["*"].get(status.to_string()).is_some(),
                "{status}"
            );
        }
    }
}
