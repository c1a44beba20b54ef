//! The HTTP server that all services share: listener, health, metrics, errors as problems, trailing slashes, drain. It must
//! not know the routes of a service.

mod boundary;
mod config;
mod connection;
mod connection_limit;
mod head;
mod limits;
mod listener;
mod metrics;
mod open_files;
mod paths;

pub use self::{
    config::HttpConfig,
    limits::HttpLimits,
    listener::{BindError, HttpListener, bind},
    paths::Paths,
};
use std::sync::Arc;

use poem::{
    Endpoint, EndpointExt, Response, Route,
    endpoint::make_sync,
    get,
    middleware::{NormalizePath, TrailingSlash},
};

use crate::{auth::Gate, health::Health, telemetry::Metrics};

/// What [`endpoint`] adds to the routes of a service.
#[derive(Clone)]
pub struct Edge {
    /// The checks of `/health/ready`.
    pub health: Health,
    /// The metrics of `/metrics`.
    pub metrics: Metrics,
    /// Authentication and authorization.
    pub gate: Arc<Gate>,
    /// The limit of the head of a request.
    pub limits: HttpLimits,
}

/// Completes the routes of a service: adds `/health/live`, `/health/ready` and `/metrics`, applies the gate, converts errors
/// into problems (405 with `Allow`, from `paths`), accepts a trailing slash on every path, and records request durations.
pub fn endpoint(routes: Route, paths: Paths, edge: Edge) -> impl Endpoint<Output = Response> {
    let Edge {
        health,
        metrics,
        gate,
        limits,
    } = edge;
    self::metrics::describe();
    let durations = Arc::<self::metrics::Durations>::default();
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
    let paths_of_edge = ["/health/live", "/health/ready", "/metrics"];
    let paths = Arc::new(
        paths_of_edge
            .into_iter()
            .fold(paths, |all, path| all.with(path, "GET")),
    );
    boundary::errors_as_problems(routes, Arc::clone(&paths))
        .around(move |inner, request| {
            let gate = Arc::clone(&gate);
            async move { Ok(gate.pass(&*inner, request).await) }
        })
        .around(move |inner, request| head::checked(inner, request, limits.max_header_bytes))
        .with(NormalizePath::new(TrailingSlash::Trim))
        .around(move |inner, request| {
            let (durations, paths) = (Arc::clone(&durations), Arc::clone(&paths));
            async move { durations.record(&*inner, request, &paths).await }
        })
}

#[cfg(test)]
mod tests;
