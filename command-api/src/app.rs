//! Wires the service: producer → intake → routes, and the task that keeps the log's connection.

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
    kafka::{self, Append, KafkaProducer},
    metrics, openapi,
};

/// Builds the service and spawns its tasks.
///
/// # Errors
/// A producer that cannot be made, or an address that cannot be had.
pub async fn start(config: Config, process: &mut Process) -> Result<(), StartError> {
    metrics::describe();
    let log = Arc::new(KafkaProducer::new(&config)?);
    let served = CancellationToken::new();
    let (routes, paths) = routes(&config, Arc::<KafkaProducer>::clone(&log), &served)?;
    // Before anybody can ask: without a check nothing would be unready.
    let check = process.health.progress_check("log", kafka::SILENT_FOR);
    process.serve(&config.http, routes, paths).await?;
    let flush_within = process.http_drain_timeout();
    process.spawn("log", kafka::keep(log, check, served, flush_within));
    Ok(())
}

/// The service's own routes over `log`, and what is known of their paths. `served` is cancelled when they are dropped.
fn routes(
    config: &Config,
    log: Arc<dyn Append>,
    served: &CancellationToken,
) -> Result<(Route, Paths), StartError> {
    let handler = AppendHandler::new(log, config.limits.clone(), config.links.clone());
    let api = Api::new(handler, config, served.clone().drop_guard());
    let service = openapi::service(api);
    let document = service.spec();
    let paths = Paths::from_openapi(&document)?
        .and("/openapi.json", "GET")
        .and("/docs", "GET");
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
