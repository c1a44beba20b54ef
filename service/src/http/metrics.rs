//! The histogram of request durations, named as in the semantic conventions of OpenTelemetry for HTTP metrics. Raw paths are
//! never labels.

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
        "time from the head of a request to the head of its response"
    );
}

/// Caches the histograms by route pattern, method and status, so that a request needs no look-up in the registry of metrics.
/// Its size is bounded by the number of routes, methods and statuses.
#[derive(Debug, Default)]
pub(super) struct Durations(RwLock<HashMap<String, RouteHistograms>>);

/// The histograms of one route, by method and status.
type RouteHistograms = HashMap<(&'static str, u16), Histogram>;

impl Durations {
    /// Calls `inner` and records the duration.
    pub(super) async fn record<E: Endpoint>(
        &self,
        inner: &E,
        request: Request,
        paths: &Paths,
    ) -> Result<Response> {
        let method = known_method(request.method());
        let start = Instant::now();
        let response = inner.call(request).await?.into_response();
        // A path without a route has no pattern, or an empty one under a nested "/". It must not become a label: callers
        // could then fill the memory.
        let pattern = response
            .data::<PathPattern>()
            .map_or("", |pattern| &*pattern.0);
        self.histogram(pattern, method, response.status(), paths)
            .record(start.elapsed());
        Ok(response)
    }

    fn histogram(
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
        let route_histograms = known.entry(pattern.to_owned()).or_default();
        route_histograms.insert(key, histogram.clone());
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
