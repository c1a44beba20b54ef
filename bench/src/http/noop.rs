//! The yardstick of a cached answer: a route of the same framework on the same runtime that answers a constant. A process of
//! its own, as the query-api is.

use bytes::Bytes;
use poem::listener::TcpListener;
use poem::web::Data;
use poem::{EndpointExt as _, Response, Route, Server, get, handler};

use crate::error::Result;

/// What `noop` must be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where it listens
    #[arg(long)]
    address: String,
    /// Bytes of the body
    #[arg(long)]
    bytes: usize,
}

#[handler]
fn constant(Data(body): Data<&Bytes>) -> Response {
    Response::builder()
        .content_type("application/json")
        .body(body.clone())
}

/// Answers until it is ended.
///
/// # Errors
/// A port that is taken.
pub(crate) async fn run(args: Args) -> Result<()> {
    let body = Bytes::from(vec![b' '; args.bytes]);
    let routes = Route::new()
        .at("/stats/playback/:id", get(constant))
        .data(body);
    Ok(Server::new(TcpListener::bind(args.address))
        .run(routes)
        .await?)
}
