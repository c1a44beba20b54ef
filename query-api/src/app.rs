//! Wires the service: the read model, its background tasks, the cache and the HTTP edge. It must not decide anything itself.

use std::{
    collections::HashMap,
    convert::Infallible,
    io::{self, Write as _},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use ess_service::{
    config::{ConfigError, Settings as _, Source},
    health::Health,
    http::Paths,
    process::{Process, StartError},
};
use poem::{EndpointExt as _, IntoEndpoint as _, Route};
use tokio_util::sync::CancellationToken;

use crate::{
    Config,
    http::{PlayingSource, Reader, openapi, ownership},
    live::Subscriptions,
    read::{ConflictCounter, ReadModel, Watch, Watcher},
};

/// How long the read model may stay unobserved, in addition to the time limit of its queries.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// Builds the service and spawns its tasks.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(config: Config, process: &mut Process) -> Result<(), StartError> {
    let (reader, watcher, counter) = build(&config, &process.health, process.stopping());
    let api = openapi::service(&reader);
    let paths = Paths::from_openapi(&api.spec())?
        .with("/docs", "GET")
        .with("/openapi.json", "GET");
    let routes = Route::new()
        .at("/openapi.json", api.spec_endpoint())
        .nest("/docs", api.swagger_ui())
        .nest("/", api.into_endpoint().around(ownership::checked));
    process.serve(&config.http, routes, paths).await?;
    process.spawn("watermark", watcher.run(process.stopping()));
    process.spawn("conflicts", counter.run(process.stopping()));
    process.spawn(
        "cache",
        clear_on_promotion(Arc::clone(&reader), process.stopping()),
    );
    tracing::info!(addr = %config.http.addr, "query-api listens on {}; paths are documented at /docs", config.http.addr);
    Ok(())
}

/// The reader of answers and the background tasks that it needs. No query is sent yet.
fn build(
    config: &Config,
    health: &Health,
    stopping: CancellationToken,
) -> (Arc<Reader>, Watcher, ConflictCounter) {
    let read_model = Arc::new(ReadModel::new(
        config.clickhouse.clone(),
        config.limits.clone(),
    ));
    // One observation is two queries and a pause; a longer one is stuck.
    let check = health.progress_check("read-model", config.limits.time * 2 + STUCK_AFTER);
    let (watcher, watch) = Watcher::new(Arc::clone(&read_model), check, config.after.max_wait);
    let (counter, conflicts) = ConflictCounter::new(Arc::clone(&read_model), watch.clone());
    let playing = PlayingSource {
        read_model: Arc::clone(&read_model),
        watch: watch.clone(),
        settle_after_ms: config.policy.settle_after_ms,
    };
    let live = Subscriptions::new(playing, config.live.clone(), stopping);
    let reader = Reader::new(
        read_model,
        watch,
        conflicts,
        live,
        config.policy,
        &config.cache,
        &config.limits,
    );
    (Arc::new(reader), watcher, counter)
}

/// Empties the cache when another generation becomes active (invariant I8). Old answers would not be found anyway, because the
/// generation is part of their key.
async fn clear_on_promotion(
    reader: Arc<Reader>,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut watch: Watch = reader.watch.clone();
    let clear = async {
        while watch.next_generation().await {
            reader.cache.clear();
        }
    };
    stopping.run_until_cancelled(clear).await;
    Ok(())
}

/// Prints the OpenAPI document, which does not depend on the configuration.
///
/// # Errors
/// When standard output cannot be written.
pub fn print_document() -> io::Result<ExitCode> {
    let document = document().map_err(io::Error::other)?;
    writeln!(io::stdout(), "{document}")?;
    Ok(ExitCode::SUCCESS)
}

fn document() -> Result<String, ConfigError> {
    let defaults = Config::read(&Source::open::<Config>(None, HashMap::new())?)?;
    let (reader, ..) = build(&defaults, &Health::default(), CancellationToken::new());
    Ok(openapi::service(&reader).spec())
}
