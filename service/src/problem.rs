//! The HTTP error of all services: `application/problem+json` of RFC 9457. Callers get no other error body, and never
//! internal details: `http` logs those once.

mod kind;

pub use self::kind::ProblemKind;
use ess_schema::Violation;
use poem::{
    IntoResponse, Response,
    error::ResponseError,
    http::{StatusCode, header},
};
use poem_openapi::{
    ApiResponse, Object,
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::{ToJSON, Type},
};
use serde::Serialize;

/// The media type of every error body.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An invalid field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct FieldError {
    /// The field: a JSON pointer (RFC 6901) into the item, `?name` for a query parameter, `{name}` for a path parameter.
    pub pointer: String,
    /// The problem.
    pub detail: String,
    /// The allowed values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
}

impl From<Violation> for FieldError {
    fn from(
        Violation {
            pointer,
            detail,
            allowed,
        }: Violation,
    ) -> Self {
        Self {
            pointer,
            detail,
            allowed: Some(allowed),
        }
    }
}

/// An error in the format of RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object, thiserror::Error)]
#[error("{title}: {detail}")]
#[oai(skip_serializing_if_is_none)]
pub struct Problem {
    /// The type of problem, a relative URI such as `/problems/invalid-item`.
    #[serde(rename = "type")]
    #[oai(rename = "type", read_only)]
    pub kind: &'static str,
    /// A summary of the type.
    #[oai(read_only)]
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened in this case.
    pub detail: String,
    /// The invalid fields, if any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[oai(skip_serializing_if_is_empty, default)]
    pub errors: Vec<FieldError>,
    /// Seconds to wait before a retry; also in the `Retry-After` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// The event id to use for the retry, if the outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
}

impl Problem {
    /// A problem of a kind.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind: kind.uri(),
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            event_id: None,
        }
    }

    /// Adds the invalid fields.
    #[must_use]
    pub fn with_errors(self, errors: Vec<FieldError>) -> Self {
        Self { errors, ..self }
    }

    /// Adds the number of seconds to wait before a retry.
    #[must_use]
    pub fn with_retry_after(self, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// Adds the event id to use for the retry.
    #[must_use]
    pub fn with_event_id(self, event_id: impl Into<String>) -> Self {
        Self {
            event_id: Some(event_id.into()),
            ..self
        }
    }

    fn response(&self) -> Response {
        let response = Response::builder()
            .status(self.status())
            .content_type(PROBLEM_JSON);
        let response = match self.retry_after {
            Some(seconds) => response.header(header::RETRY_AFTER, seconds),
            None => response,
        };
        response.body(self.to_json_string())
    }
}

/// The problem of an item with invalid fields.
impl From<Vec<Violation>> for Problem {
    fn from(violations: Vec<Violation>) -> Self {
        let first = violations
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        let detail = match violations.len() {
            0 | 1 => first,
            more => format!("{first} (and {} more)", more - 1),
        };
        Self::new(ProblemKind::InvalidItem, detail)
            .with_errors(violations.into_iter().map(FieldError::from).collect())
    }
}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn as_response(&self) -> Response {
        self.response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.response()
    }
}

/// Lets an operation of poem-openapi return `Result<T, Problem>`, documented as its `default` response.
impl ApiResponse for Problem {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType {
            content_type: PROBLEM_JSON,
            schema: Self::schema_ref(),
        }];
        let description = "The request was rejected or failed: a problem of RFC 9457";
        let default = MetaResponse {
            description,
            status: None,
            status_range: None,
            content,
            headers: Vec::new(),
        };
        MetaResponses {
            responses: vec![default],
        }
    }

    fn register(registry: &mut Registry) {
        <Self as Type>::register(registry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Problem {
        let error = FieldError {
            pointer: "/to_ms".into(),
            detail: "is less than from_ms".into(),
            allowed: None,
        };
        Problem::new(ProblemKind::InvalidItem, "1 field is invalid")
            .with_errors(vec![error])
            .with_retry_after(3)
            .with_event_id("e1")
    }

    #[tokio::test]
    async fn the_response_of_a_problem_follows_rfc_9457() {
        let mut response = full().into_response();
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(response.content_type(), Some(PROBLEM_JSON));
        assert_eq!(response.header("retry-after"), Some("3"));
        let body: serde_json::Value = response.take_body().into_json().await.unwrap();
        let expected = serde_json::json!({
            "type": "/problems/invalid-item", "title": "The item is invalid", "status": 422, "detail": "1 field is invalid",
            "errors": [{"pointer": "/to_ms", "detail": "is less than from_ms"}], "retry_after": 3, "event_id": "e1",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn a_problem_is_serialized_alike_by_serde_and_poem_openapi() {
        for problem in [
            full(),
            Problem::new(ProblemKind::NotFound, "no such playback"),
        ] {
            assert_eq!(serde_json::to_value(&problem).ok(), problem.to_json());
        }
    }
}
