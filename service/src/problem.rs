//! The one HTTP error of all services: RFC 9457 `application/problem+json`. A caller never sees any other error body,
//! and never an internal detail: those are logged, once, at the edge (`http`).

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

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct FieldError {
    /// Where: a JSON pointer (RFC 6901) into the item, `?name` for a query parameter, `{name}` for one in the path.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
    /// What would be accepted.
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

/// An error as RFC 9457 tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object, thiserror::Error)]
#[error("{title}: {detail}")]
#[oai(skip_serializing_if_is_none)]
pub struct Problem {
    /// The kind of problem, a relative URI such as `/problems/invalid-item`.
    #[serde(rename = "type")]
    #[oai(rename = "type", read_only)]
    pub kind: &'static str,
    /// The kind in words.
    #[oai(read_only)]
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The fields that are wrong, if fields are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[oai(skip_serializing_if_is_empty, default)]
    pub errors: Vec<FieldError>,
    /// Seconds after which trying again makes sense; also the `Retry-After` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// The id to repeat the event with, when its fate is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
}

impl Problem {
    /// A problem of a known kind.
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

    /// The same problem, with the fields that are wrong.
    #[must_use]
    pub fn with_errors(self, errors: Vec<FieldError>) -> Self {
        Self { errors, ..self }
    }

    /// The same problem, with the number of seconds to wait before trying again.
    #[must_use]
    pub fn with_retry_after(self, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// The same problem, with the id to repeat the event with.
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

/// An item whose fields break rules.
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

/// Lets a poem-openapi operation return `Result<T, Problem>`: it is documented as the operation's `default` response.
impl ApiResponse for Problem {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType {
            content_type: PROBLEM_JSON,
            schema: Self::schema_ref(),
        }];
        let description = "The request was refused or failed, told as RFC 9457 does";
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
    async fn a_problem_is_answered_as_rfc_9457_says() {
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
    fn a_problem_reads_the_same_inside_a_larger_answer() {
        for problem in [
            full(),
            Problem::new(ProblemKind::NotFound, "no such playback"),
        ] {
            assert_eq!(serde_json::to_value(&problem).ok(), problem.to_json());
        }
    }
}
