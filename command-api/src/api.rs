//! The routes with their documentation. [`AppendHandler`] handles the append requests.

mod idempotency;
mod request_bodies;
mod responses;
mod schemas;

use ess_service::auth::Caller;
use poem::Request;
use poem_openapi::{ApiResponse, Object, OpenApi, Tags, param::Query, payload::Json};
use tokio_util::sync::DropGuard;

use self::{
    idempotency::IdempotencyKeyHeader,
    request_bodies::{CommandsBody, EventsBody},
    responses::{EventsRedirect, EventsResponse, Rejection},
};
use crate::{
    append_handler::{AppendHandler, AppendOptions},
    body::media_type::AppendRoute,
    config::Config,
    response::AppendResponse,
};

/// The operations, for [`poem_openapi`].
pub(crate) struct Api {
    handler: AppendHandler,
    about: About,
    /// The base URL of the query-api.
    query_url: String,
    _drained: DropGuard,
}

#[derive(Tags)]
enum Tag {
    /// Append facts. A position in the response means that the fact is in Kafka.
    Append,
    /// Endpoints of the predecessor of this service, for its clients.
    Service,
}

/// A message from the running service.
#[derive(Debug, Object)]
struct Running {
    /// Says that the service runs.
    message: String,
}

/// The service's connections, without secrets.
#[derive(Debug, Clone, Object)]
pub(crate) struct About {
    /// Kafka bootstrap servers.
    kafka: String,
    /// Kafka topic that events are appended to.
    topic: String,
    /// `host:port` of ClickHouse. This service never connects to it.
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
enum RunningResponse {
    /// The service runs.
    #[oai(status = 200)]
    Ok(Json<Running>),
}

#[derive(ApiResponse)]
enum ConfigResponse {
    /// The service's connections.
    #[oai(status = 200)]
    Ok(Json<About>),
}

impl Api {
    /// `drained` is dropped with the API, after its last request.
    pub(crate) fn new(handler: AppendHandler, config: &Config, drained: DropGuard) -> Self {
        Self {
            handler,
            about: About::new(config),
            query_url: config.links.query_api.clone(),
            _drained: drained,
        }
    }
}

#[expect(
    clippy::unused_async,
    reason = "poem-openapi requires async operations"
)]
#[OpenApi]
impl Api {
    /// Append commands.
    ///
    /// Send one command, a JSON array of commands, or NDJSON with one command per line. Each command makes one event. The
    /// response is sent after Kafka has acknowledged every event, and contains the position of each.
    ///
    /// A request is safe to repeat if its items have ids (`event_id`), or if it repeats its `Idempotency-Key`. An item without
    /// either gets a new id each time, so a repetition is another event, which counts again; the exception is an item that was not
    /// appended (4xx, 503). After a 504, for the request or for an item of a list, repeat the item with the `event_id` in the problem.
    ///
    /// A list is appended item by item: invalid items are reported and skipped, the others are appended (207). An empty list is
    /// valid (202).
    ///
    /// A body may be compressed: `Content-Encoding: gzip` or `zstd`. Limits apply to the decompressed body.
    #[oai(
        path = "/commands",
        method = "post",
        operation_id = "appendCommands",
        tag = "Tag::Append"
    )]
    async fn append_commands(
        &self,
        request: &Request,
        /// Makes the request safe to repeat: items without an id get one derived from this key and their index. Never reuse a key for another request.
        #[oai(name = "Idempotency-Key")]
        key: IdempotencyKeyHeader,
        /// Append no item of a list if any of its items is invalid (422).
        #[oai(default)]
        all_or_nothing: Query<bool>,
        body: CommandsBody<'_>,
    ) -> Result<AppendResponse, Rejection> {
        let options = options(AppendRoute::Commands, request, key, all_or_nothing);
        Ok(self.handler.handle(body.0, &options).await?)
    }

    /// Append events.
    ///
    /// Send one event, a JSON array of events, or NDJSON with one event per line. An event is a CloudEvent in structured mode, flat
    /// JSON with `event_type`, a command, or the predecessor's untyped `{id, user_id, track_id}`. CloudEvents can also be sent
    /// with their own media types, alone or batched, or in binary mode: attributes as percent-encoded `ce-*` headers, the data as the
    /// body, and its media type as `Content-Type`.
    ///
    /// A request is safe to repeat if its items have ids (`id`, `event_id`), or if it repeats its `Idempotency-Key`, as with
    /// `POST /commands`.
    ///
    /// The response to a single untyped event is the predecessor's: 200 with `"status":"queued"`. All other responses are those of
    /// `POST /commands`.
    #[oai(
        path = "/events",
        method = "post",
        operation_id = "appendEvents",
        tag = "Tag::Append"
    )]
    async fn append_events(
        &self,
        request: &Request,
        /// Makes the request safe to repeat: items without an id get one derived from this key and their index. Never reuse a key for another request.
        #[oai(name = "Idempotency-Key")]
        key: IdempotencyKeyHeader,
        /// Append no item of a list if any of its items is invalid (422).
        #[oai(default)]
        all_or_nothing: Query<bool>,
        body: EventsBody<'_>,
    ) -> Result<EventsResponse, Rejection> {
        let options = options(AppendRoute::Events, request, key, all_or_nothing);
        Ok(EventsResponse(self.handler.handle(body.0, &options).await?))
    }

    /// Find events at the query-api.
    ///
    /// The predecessor listed events here. Events are served by the query-api; clients that follow redirects keep working.
    #[oai(
        path = "/events",
        method = "get",
        operation_id = "findEvents",
        tag = "Tag::Service"
    )]
    async fn find_events(&self, request: &Request) -> EventsRedirect {
        let query = request.uri().query();
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        EventsRedirect(format!("{}/events{query}", self.query_url))
    }

    /// Check that the service runs.
    ///
    /// The response of the predecessor. Use `/health/ready` to check whether facts can be appended.
    #[oai(
        path = "/",
        method = "get",
        operation_id = "running",
        tag = "Tag::Service"
    )]
    async fn running(&self) -> RunningResponse {
        RunningResponse::Ok(Json(Running {
            message: "ESS Service is running".to_owned(),
        }))
    }

    /// Get the service's connections.
    ///
    /// The response of the predecessor: addresses and names, no secrets.
    #[oai(
        path = "/config",
        method = "get",
        operation_id = "config",
        tag = "Tag::Service"
    )]
    async fn config(&self) -> ConfigResponse {
        ConfigResponse::Ok(Json(self.about.clone()))
    }
}

fn options(
    route: AppendRoute,
    request: &Request,
    IdempotencyKeyHeader(key): IdempotencyKeyHeader,
    Query(all_or_nothing): Query<bool>,
) -> AppendOptions {
    AppendOptions {
        route,
        key,
        all_or_nothing,
        only_user: Caller::only_user(request).cloned(),
    }
}
