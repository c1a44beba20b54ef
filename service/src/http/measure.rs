//! One histogram of every request, as OpenTelemetry names it (semantic conventions, HTTP metrics).

use std::{borrow::Cow, sync::Arc, time::Instant};

use metrics::{Label, Unit};
use poem::{Endpoint, IntoResponse, PathPattern, Request, Response, Result, http::Method};

use super::Paths;

const DURATION: &str = "http_server_request_duration_seconds";

pub(super) fn describe() {
    metrics::describe_histogram!(
        DURATION,
        Unit::Seconds,
        "time from a request's head to its answer's head"
    );
}

pub(super) async fn request<E: Endpoint>(
    inner: Arc<E>,
    request: Request,
    paths: Arc<Paths>,
) -> Result<Response> {
    let method = known_method(request.method());
    let start = Instant::now();
    let response = inner.call(request).await?.into_response();
    // A path that matched nothing has no template; the raw path as a label would let any caller fill our memory.
    // One nested under "/" leaves an empty pattern.
    let pattern = response
        .data::<PathPattern>()
        .filter(|pattern| !pattern.0.is_empty());
    let route = pattern.map_or(Cow::Borrowed("unmatched"), |pattern| {
        Cow::Owned(paths.template(&pattern.0))
    });
    let labels = vec![
        Label::from_static_parts("http_request_method", method),
        Label::new("http_route", route),
        Label::new(
            "http_response_status_code",
            response.status().as_str().to_owned(),
        ),
    ];
    metrics::histogram!(DURATION, labels).record(start.elapsed());
    Ok(response)
}

fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}
