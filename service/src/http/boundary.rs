//! Converts every error into a [`Problem`], including those of the framework, and logs server errors once. It must not
//! change successful responses.

use std::sync::Arc;

use poem::{
    Endpoint, EndpointExt, Error, IntoResponse, PathPattern, Response,
    error::MethodNotAllowedError,
    http::{StatusCode, header},
    middleware::CatchPanic,
};
use poem_openapi::error::{ParseParamError, ParsePathError};

use super::Paths;
use crate::problem::{FieldError, Problem, ProblemKind};

/// Wraps an endpoint so that every error and every panic becomes a [`Problem`].
pub(super) fn errors_as_problems(
    inner: impl Endpoint + 'static,
    paths: Arc<Paths>,
) -> impl Endpoint<Output = Response> {
    let on_panic = |_| {
        tracing::error!("a request handler panicked; the caller gets 500");
        Problem::new(ProblemKind::Internal, "the request could not be completed")
    };
    inner
        .with(CatchPanic::new().with_handler(on_panic))
        .catch_all_error(move |error| {
            let paths = Arc::clone(&paths);
            async move { respond(&error, &paths) }
        })
}

fn respond(error: &Error, paths: &Paths) -> Response {
    let pattern = error.data::<PathPattern>();
    let path = pattern.map_or("", |pattern| &*pattern.0);
    let problem = problem(error, paths, path);
    let (status, kind) = (problem.status, problem.kind);
    if problem.retry_after.is_some() {
        // Not a defect: under overload there are many, which metrics and readiness report.
        tracing::debug!(status, kind, "a request must be retried later: {error}");
    } else if status >= 500 {
        tracing::error!(status, kind, %error, "a request failed: {error}");
    }
    let mut response = problem.into_response();
    if error.is::<MethodNotAllowedError>()
        && let Some(methods) = paths.allow(path)
    {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    if let Some(pattern) = pattern {
        response.set_data(pattern.clone());
    }
    response
}

fn problem(error: &Error, paths: &Paths, path: &str) -> Problem {
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return problem.clone();
    }
    if let Some(ParseParamError { name, reason }) = error.downcast_ref() {
        return bad_parameter(format!("?{name}"), reason);
    }
    if let Some(ParsePathError { name, reason }) = error.downcast_ref() {
        return bad_parameter(
            paths.parameter(path, name).unwrap_or(name).to_owned(),
            reason,
        );
    }
    let kind = ProblemKind::from_status(error.status());
    match kind {
        ProblemKind::NotFound => Problem::new(kind, "unknown path"),
        kind if kind.status().is_server_error() => {
            Problem::new(kind, "the request could not be completed")
        }
        kind => Problem {
            status: client_status(error),
            ..Problem::new(kind, error.to_string())
        },
    }
}

/// A client error of the framework keeps its status, also if no kind of problem has it.
fn client_status(error: &Error) -> u16 {
    let status = error.status();
    if status.is_client_error() {
        status.as_u16()
    } else {
        StatusCode::BAD_REQUEST.as_u16()
    }
}

fn bad_parameter(pointer: String, reason: &str) -> Problem {
    let error = FieldError {
        pointer,
        detail: reason.trim().to_owned(),
        allowed: None,
    };
    Problem::new(
        ProblemKind::BadRequest,
        format!("{}: {}", error.pointer, error.detail),
    )
    .with_errors(vec![error])
}
