//! The yardstick of a cached response: a route of the same framework and runtime that returns a constant, in a process of its own.

use bytes::Bytes;
use poem::listener::TcpListener;
use poem::web::Data;
use poem::{EndpointExt as _, Response, Route, Server, get, handler};

use crate::error::Result;

/// Arguments of `noop`.
#[derive(Debug, clap::Args)]
pub(crate) struct NoopArgs {
    /// Address to listen on
    #[arg(long)]
    address: String,
    /// Length of the body in bytes
    #[arg(long)]
    bytes: usize,
}

#[handler]
fn constant(Data(body): Data<&Bytes>) -> Response {
    Response::builder()
        .content_type("application/json")
        .body(body.clone())
}

/// Serves until it is stopped.
///
/// # Errors
/// A port that is in use.
pub(crate) async fn run(args: NoopArgs) -> Result<()> {
    let body = Bytes::from(vec![b' '; args.bytes]);
    let routes = Route::new()
        .at("/stats/playback/:id", get(constant))
        .data(body);
    Ok(Server::new(TcpListener::bind(args.address))
        .run(routes)
        .await?)
}
