//! The HTTP edge every service has: bind, health, metrics, errors as problems, trailing slashes, request metrics, drain.
//! What the service answers is not known here.

mod boundary;
mod connection;
mod crowded;
mod head;
mod listening;
mod measure;
mod paths;

pub use self::{
    listening::{BindError, HttpListener, bind},
    paths::Paths,
};
use std::sync::Arc;

use poem::{
    Endpoint, EndpointExt, Response, Route,
    endpoint::make_sync,
    get,
    middleware::{NormalizePath, TrailingSlash},
};

use crate::{auth::Gate, config::HttpLimits, health::Health, telemetry::Metrics};

/// What stands before a service's own routes.
#[derive(Clone)]
pub struct Edge {
    /// The checks behind `/health/ready`.
    pub health: Health,
    /// The text behind `/metrics`.
    pub metrics: Metrics,
    /// Who may pass.
    pub gate: Arc<Gate>,
    /// How large the head of a request may be.
    pub limits: HttpLimits,
}

/// Completes a service's own routes: adds `/health/live`, `/health/ready` and `/metrics`, lets pass who may, answers every error
/// as a problem (with `Allow` beside 405, from `paths`), takes a trailing slash on every path, and measures each request.
pub fn endpoint(routes: Route, paths: Paths, edge: Edge) -> impl Endpoint<Output = Response> {
    let Edge {
        health,
        metrics,
        gate,
        limits,
    } = edge;
    measure::describe();
    let durations = Arc::<measure::Durations>::default();
    let live = make_sync(|_| {
        Response::builder()
            .content_type("application/json")
            .body(r#"{"status":"live"}"#)
    });
    let ready = make_sync(move |_| health.report().response());
    let rendered = make_sync(move |_| {
        Response::builder()
            .content_type("text/plain; version=0.0.4")
            .body(metrics.render())
    });
    let routes = routes
        .at("/health/live", get(live))
        .at("/health/ready", get(ready))
        .at("/metrics", get(rendered));
    let own = ["/health/live", "/health/ready", "/metrics"];
    let paths = Arc::new(
        own.into_iter()
            .fold(paths, |all, path| all.and(path, "GET")),
    );
    boundary::answer_problems(routes, Arc::clone(&paths))
        .around(move |inner, request| {
            let gate = Arc::clone(&gate);
            async move { Ok(gate.pass(&*inner, request).await) }
        })
        .around(move |inner, request| head::checked(inner, request, limits.max_header_bytes))
        .with(NormalizePath::new(TrailingSlash::Trim))
        .around(move |inner, request| {
            let (durations, paths) = (Arc::clone(&durations), Arc::clone(&paths));
            async move { durations.request(&*inner, request, &paths).await }
        })
}

#[cfg(test)]
mod tests;
