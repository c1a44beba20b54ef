//! The yardstick of appending: a route of the same framework on the same runtime that reads the same body by the same rules, and
//! answers as much, but has no log. A process of its own, as the command-api is.

use std::time::{SystemTime, UNIX_EPOCH};

use ess_schema::decode::{AcceptedShapes, ReceiveContext, decode_item};
use ess_schema::{EventId, Timestamp};
use poem::http::StatusCode;
use poem::listener::TcpListener;
use poem::{Response, Route, Server, get, handler, post};

use crate::error::Result;

/// What `parse` must be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where it listens
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
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_millis() as i64;
    // Every fact that is sent here has an id.
    let Ok(spare) = EventId::new("spare") else {
        return StatusCode::INTERNAL_SERVER_ERROR.into();
    };
    let mut context = ReceiveContext::Request {
        received_at: Timestamp::EPOCH.plus_millis(now),
        generate_id: &mut || spare.clone(),
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

/// Answers until it is ended.
///
/// # Errors
/// A port that is taken.
pub(crate) async fn run(args: Args) -> Result<()> {
    let routes = Route::new()
        .at("/ready", get(ready))
        .at("/commands", post(parse));
    Ok(Server::new(TcpListener::bind(args.address))
        .run(routes)
        .await?)
}
