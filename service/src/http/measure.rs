//! One histogram of every request, as OpenTelemetry names it (semantic conventions, HTTP metrics).

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Instant,
};

use metrics::{Histogram, Label, Unit};
use poem::{
    Endpoint, IntoResponse, PathPattern, Request, Response, Result,
    http::{Method, StatusCode},
};

use super::Paths;

const DURATION: &str = "http_server_request_duration_seconds";

pub(super) fn describe() {
    metrics::describe_histogram!(
        DURATION,
        Unit::Seconds,
        "time from a request's head to its answer's head"
    );
}

/// The histograms in use, by route pattern, method and status: a name with its labels is looked up in the registry once, not with
/// every request. There are as many as there are routes and statuses, however many callers.
#[derive(Debug, Default)]
pub(super) struct Durations(RwLock<HashMap<String, OfRoute>>);

/// The histograms of one route, by method and status.
type OfRoute = HashMap<(&'static str, u16), Histogram>;

impl Durations {
    /// Calls `inner`, and records how long that took.
    pub(super) async fn request<E: Endpoint>(
        &self,
        inner: &E,
        request: Request,
        paths: &Paths,
    ) -> Result<Response> {
        let method = known_method(request.method());
        let start = Instant::now();
        let response = inner.call(request).await?.into_response();
        // A path that matched nothing has no template; the raw path as a label would let any caller fill our memory.
        // One nested under "/" leaves an empty pattern.
        let pattern = response
            .data::<PathPattern>()
            .map_or("", |pattern| &*pattern.0);
        self.of(pattern, method, response.status(), paths)
            .record(start.elapsed());
        Ok(response)
    }

    fn of(
        &self,
        pattern: &str,
        method: &'static str,
        status: StatusCode,
        paths: &Paths,
    ) -> Histogram {
        let key = (method, status.as_u16());
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(histogram) = known.get(pattern).and_then(|known| known.get(&key)) {
            return histogram.clone();
        }
        drop(known);
        let route = match pattern {
            "" => "unmatched".to_owned(),
            pattern => paths.template(pattern),
        };
        let labels = vec![
            Label::from_static_parts("http_request_method", method),
            Label::new("http_route", route),
            Label::new("http_response_status_code", status.as_str().to_owned()),
        ];
        let histogram = metrics::histogram!(DURATION, labels);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let of_route = known.entry(pattern.to_owned()).or_default();
        of_route.insert(key, histogram.clone());
        histogram
    }
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
