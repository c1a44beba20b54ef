//! Wires the service: producer → append handler → routes, and the task that watches the connection to Kafka.

use std::sync::Arc;

use bytes::Bytes;
use ess_service::{
    http::Paths,
    process::{Process, StartError},
};
use poem::{Endpoint, Response, Route, endpoint::make_sync, get};
use tokio_util::sync::CancellationToken;

use crate::{
    api::Api,
    append_handler::AppendHandler,
    config::Config,
    kafka::{append::Append, connection, producer::KafkaProducer},
    metrics, openapi,
};

/// Builds the service and spawns its tasks.
///
/// # Errors
/// When the producer cannot be created, or the address cannot be bound.
pub async fn start(config: Config, process: &mut Process) -> Result<(), StartError> {
    metrics::describe();
    let producer = Arc::new(KafkaProducer::new(&config)?);
    let drained = CancellationToken::new();
    let (routes, paths) = routes(&config, Arc::<KafkaProducer>::clone(&producer), &drained)?;
    // Before the service listens: without a check it would be ready.
    let check = process
        .health
        .progress_check("log", connection::MAX_CHECK_AGE);
    process.serve(&config.http, routes, paths).await?;
    let flush_timeout = process.http_drain_timeout();
    let connection = connection::run(producer, check, drained, flush_timeout);
    process.spawn("log", connection);
    Ok(())
}

/// The service's own routes, which append with `producer`, and the paths that they serve. `drained` is cancelled when they are
/// dropped.
fn routes(
    config: &Config,
    producer: Arc<dyn Append>,
    drained: &CancellationToken,
) -> Result<(Route, Paths), StartError> {
    let handler = AppendHandler::new(producer, config.limits.clone(), config.links.clone());
    let api = Api::new(handler, config, drained.clone().drop_guard());
    let service = openapi::service(api);
    let document = service.spec();
    let paths = Paths::from_openapi(&document)?
        .with("/openapi.json", "GET")
        .with("/docs", "GET");
    let routes = Route::new()
        .at("/docs", get(page("text/html", service.swagger_ui_html())))
        .at("/openapi.json", get(page("application/json", document)))
        .nest("/", service);
    Ok((routes, paths))
}

fn page(content_type: &'static str, text: String) -> impl Endpoint<Output = Response> {
    let text = Bytes::from(text);
    make_sync(move |_| {
        Response::builder()
            .content_type(content_type)
            .body(text.clone())
    })
}

#[cfg(test)]
mod tests;
