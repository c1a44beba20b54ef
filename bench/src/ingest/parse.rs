//! The yardstick of appending: a route of the same framework and runtime that parses the same body by the same rules and returns a
//! response of the same size, without Kafka. In a process of its own.

use ess_schema::EventId;
use ess_schema::decode::{AcceptedShapes, ReceiveContext, decode_item};
use poem::http::StatusCode;
use poem::listener::TcpListener;
use poem::{Response, Route, Server, get, handler, post};

use crate::clock::now;
use crate::error::Result;

/// Arguments of `parse`.
#[derive(Debug, clap::Args)]
pub(crate) struct ParseArgs {
    /// Address to listen on
    #[arg(long)]
    address: String,
}

#[handler]
fn ready() -> StatusCode {
    StatusCode::OK
}

#[handler]
#[expect(
    clippy::needless_pass_by_value,
    reason = "a handler owns what it extracts"
)]
fn parse(body: String) -> Response {
    // Every fact that is sent here has an id.
    let (Ok(now), Ok(unused)) = (now(), EventId::new("unused")) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into();
    };
    let mut context = ReceiveContext::Request {
        received_at: now,
        generate_id: &mut || unused.clone(),
    };
    let Ok(item) = decode_item(&body, AcceptedShapes::Commands, &mut context) else {
        return StatusCode::UNPROCESSABLE_ENTITY.into();
    };
    let playback = item.event.playback_id.as_ref();
    let playback = playback.map_or("", |id| id.as_str());
    let body = format!(
        r#"{{"event_id":"{}","playback_id":"{playback}","position":"7:123456"}}"#,
        item.event.id
    );
    Response::builder()
        .status(StatusCode::ACCEPTED)
        .content_type("application/json")
        .body(body)
}

/// Serves until it is stopped.
///
/// # Errors
/// A port that is in use.
pub(crate) async fn run(args: ParseArgs) -> Result<()> {
    let routes = Route::new()
        .at("/ready", get(ready))
        .at("/commands", post(parse));
    Ok(Server::new(TcpListener::bind(args.address))
        .run(routes)
        .await?)
}
