//! The routes, each documented where it is written. What a route does with a body is [`Intake`]'s.

mod idempotency;
mod request_bodies;
mod responses;
pub(crate) mod schemas;

use ess_service::auth::Caller;
use poem::Request;
use poem_openapi::{ApiResponse, Object, OpenApi, Tags, param::Query, payload::Json};
use tokio_util::sync::DropGuard;

use self::{
    idempotency::Key,
    request_bodies::{CommandsBody, EventsBody},
    responses::{EventsRedirect, EventsResponse, Rejection},
};
use crate::{
    append_handler::{AppendHandler, AppendOptions},
    body::media_type::Route,
    config::Config,
    response::AppendResponse,
};

/// The operations, for [`poem_openapi`].
pub(crate) struct Api {
    handler: AppendHandler,
    about: About,
    /// Where the query-api is.
    readers: String,
    _served: DropGuard,
}

#[derive(Tags)]
enum Tag {
    /// Telling facts. A fact that was answered with a position lies in the log.
    Append,
    /// What the predecessor of this service answered, kept for its clients.
    Service,
}

/// The service's answer to being called.
#[derive(Debug, Object)]
struct Running {
    /// That it runs.
    message: String,
}

/// What the service is connected to, without secrets.
#[derive(Debug, Clone, Object)]
pub(crate) struct About {
    /// Bootstrap servers of the log.
    kafka: String,
    /// The topic that is the log.
    topic: String,
    /// `host:port` of the read model. This service never connects to it.
    clickhouse: String,
}

impl About {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            kafka: config.kafka.brokers.clone(),
            topic: config.kafka.topic.clone(),
            clickhouse: config.links.clickhouse_host(),
        }
    }
}

#[derive(ApiResponse)]
enum Runs {
    /// The service runs.
    #[oai(status = 200)]
    Here(Json<Running>),
}

#[derive(ApiResponse)]
enum Connected {
    /// What the service is connected to, without secrets.
    #[oai(status = 200)]
    To(Json<About>),
}

impl Api {
    /// `served` is dropped with the last request.
    pub(crate) fn new(handler: AppendHandler, config: &Config, served: DropGuard) -> Self {
        Self {
            handler,
            about: About::new(config),
            readers: config.links.query_api.clone(),
            _served: served,
        }
    }
}

#[expect(
    clippy::unused_async,
    reason = "poem-openapi takes async operations only"
)]
#[OpenApi]
impl Api {
    /// Append commands.
    ///
    /// One command, a JSON array of commands, or NDJSON: one command a line. Each makes one event. The answer comes after
    /// the log has acknowledged every event, with the position of each.
    ///
    /// Repeating a request is harmless when its items have ids (`event_id`), or the request the same `Idempotency-Key`. An item with
    /// neither gets a new id each time: repeating it tells another event, which counts again, unless it was refused (4xx, 503). After a
    /// 504, and of a list after an item's problem 504, repeat it with the `event_id` that was told.
    ///
    /// A list is appended item by item: what breaks a rule is told and left out, and the rest is appended (207). A list
    /// without items is in order (202).
    ///
    /// A body may be compressed: `Content-Encoding: gzip` or `zstd`. Limits are of the body inflated.
    #[oai(
        path = "/commands",
        method = "post",
        operation_id = "appendCommands",
        tag = "Tag::Append"
    )]
    async fn append_commands(
        &self,
        request: &Request,
        /// Makes the ids of items that have none follow from it and their place, so that repeating the same request is harmless. Not to be used again for another request.
        #[oai(name = "Idempotency-Key")]
        key: Key,
        /// Append nothing of a list if any of its items is invalid (422).
        #[oai(default)]
        all_or_nothing: Query<bool>,
        body: CommandsBody<'_>,
    ) -> Result<AppendResponse, Rejection> {
        let options = AppendOptions {
            route: Route::Commands,
            key: key.0,
            all_or_nothing: all_or_nothing.0,
            only_user: Caller::only_user(request).cloned(),
        };
        Ok(self.handler.handle(body.0, &options).await?)
    }

    /// Append events.
    ///
    /// One event, a JSON array of events, or NDJSON: one event a line. Each may be a CloudEvent in structured mode, flat
    /// JSON with `event_type`, a command, or the predecessor's untyped `{id, user_id, track_id}`. CloudEvents also come under
    /// their own media types, alone or batched, and in binary mode: attributes as `ce-*` headers, percent-encoded, the body being
    /// the data, `Content-Type` their media type.
    ///
    /// Repeating a request is harmless when its items have ids (`id`, `event_id`), or the request the same `Idempotency-Key`, as with
    /// `POST /commands`.
    ///
    /// An untyped event that is not in a list is answered 200 with `"status":"queued"`, as the predecessor did; everything
    /// else is answered as by `POST /commands`.
    #[oai(
        path = "/events",
        method = "post",
        operation_id = "appendEvents",
        tag = "Tag::Append"
    )]
    async fn append_events(
        &self,
        request: &Request,
        /// Makes the ids of items that have none follow from it and their place, so that repeating the same request is harmless. Not to be used again for another request.
        #[oai(name = "Idempotency-Key")]
        key: Key,
        /// Append nothing of a list if any of its items is invalid (422).
        #[oai(default)]
        all_or_nothing: Query<bool>,
        body: EventsBody<'_>,
    ) -> Result<EventsResponse, Rejection> {
        let options = AppendOptions {
            route: Route::Events,
            key: key.0,
            all_or_nothing: all_or_nothing.0,
            only_user: Caller::only_user(request).cloned(),
        };
        Ok(EventsResponse(self.handler.handle(body.0, &options).await?))
    }

    /// Where events are read.
    ///
    /// The predecessor listed events here. They are told by the query-api; whoever follows redirects goes on as before.
    #[oai(
        path = "/events",
        method = "get",
        operation_id = "findEvents",
        tag = "Tag::Service"
    )]
    async fn find_events(&self, request: &Request) -> EventsRedirect {
        let query = request.uri().query();
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        EventsRedirect(format!("{}/events{query}", self.readers))
    }

    /// That the service runs.
    ///
    /// As the predecessor said it. `/health/ready` tells whether facts can be appended.
    #[oai(
        path = "/",
        method = "get",
        operation_id = "running",
        tag = "Tag::Service"
    )]
    async fn running(&self) -> Runs {
        Runs::Here(Json(Running {
            message: "ESS Service is running".to_owned(),
        }))
    }

    /// What the service is connected to.
    ///
    /// Addresses and names, as the predecessor told them; nothing secret.
    #[oai(
        path = "/config",
        method = "get",
        operation_id = "config",
        tag = "Tag::Service"
    )]
    async fn config(&self) -> Connected {
        Connected::To(Json(self.about.clone()))
    }
}
