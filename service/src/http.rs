//! The HTTP edge every service has: bind, health, metrics, errors as problems, trailing slashes, request metrics, drain.
//! What the service answers is not known here.

mod boundary;
mod measure;
mod paths;

pub use self::paths::Paths;
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use poem::{
    Endpoint, EndpointExt, Response, Route, Server,
    endpoint::make_sync,
    get,
    listener::{Acceptor, Listener, TcpAcceptor, TcpListener},
    middleware::{NormalizePath, TrailingSlash},
};
use tokio_util::sync::CancellationToken;

use crate::{config::HttpConfig, health::Health, telemetry::Metrics};

/// Completes a service's own routes: adds `/health/live`, `/health/ready` and `/metrics`, answers every error as a problem
/// (with `Allow` beside 405, from `paths`), takes a trailing slash on every path, and measures each request.
pub fn endpoint(
    routes: Route,
    paths: Paths,
    health: Health,
    metrics: Metrics,
) -> impl Endpoint<Output = Response> {
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
        .with(NormalizePath::new(TrailingSlash::Trim))
        .around(move |inner, request| {
            let (durations, paths) = (Arc::clone(&durations), Arc::clone(&paths));
            async move { durations.request(&*inner, request, &paths).await }
        })
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}: {source}")]
pub struct BindError {
    addr: SocketAddr,
    source: io::Error,
}

/// A bound address, not yet served.
pub struct Listening {
    acceptor: TcpAcceptor,
    addr: SocketAddr,
}

/// Binds the configured address, so that a taken port is an error of the start.
///
/// # Errors
/// The address and why it cannot be had.
pub async fn bind(config: &HttpConfig) -> Result<Listening, BindError> {
    let acceptor = TcpListener::bind(config.addr)
        .into_acceptor()
        .await
        .map_err(|source| BindError {
            addr: config.addr,
            source,
        })?;
    let bound = acceptor
        .local_addr()
        .first()
        .and_then(|addr| addr.as_socket_addr().copied());
    Ok(Listening {
        acceptor,
        addr: bound.unwrap_or(config.addr),
    })
}

impl Listening {
    /// The address bound, with the port the system chose if the configured one was 0.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until `stopping`, then lets requests in flight finish for at most `drain`.
    ///
    /// # Errors
    /// When the listener breaks, or requests had to be cut off.
    pub async fn serve(
        self,
        endpoint: impl Endpoint + 'static,
        stopping: CancellationToken,
        drain: Duration,
    ) -> io::Result<()> {
        let told = Arc::new(OnceLock::new());
        let signal = {
            let told = Arc::clone(&told);
            async move {
                stopping.cancelled().await;
                told.get_or_init(Instant::now);
            }
        };
        let server = Server::new_with_acceptor(self.acceptor);
        server
            .run_with_graceful_shutdown(endpoint, signal, Some(drain))
            .await?;
        // The server says nothing when it gives up on connections: only the time it took tells.
        match told.get().map(Instant::elapsed) {
            Some(took) if took >= drain => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "cut off requests still in flight at the drain deadline",
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
