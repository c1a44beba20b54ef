//! Wires the service: the read model, the tasks that watch it, the cache that forgets when another generation is promoted, and
//! the HTTP edge. No rule lives here.

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
    http::{Playbacks, Reader, openapi, ownership},
    live::Hub,
    read::{Counter, ReadModel, Watch, Watcher},
};

/// How long nothing may be seen of the read model, beside what its queries may take.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// Builds the service and spawns its tasks.
///
/// # Errors
/// When the address cannot be had.
pub async fn start(config: Config, process: &mut Process) -> Result<(), StartError> {
    let (reader, watcher, counter) = build(&config, &process.health, process.stopping());
    let api = openapi::service(&reader);
    let paths = Paths::from_openapi(&api.spec())?
        .and("/docs", "GET")
        .and("/openapi.json", "GET");
    let routes = Route::new()
        .at("/openapi.json", api.spec_endpoint())
        .nest("/docs", api.swagger_ui())
        .nest("/", api.into_endpoint().around(ownership::checked));
    process.serve(&config.http, routes, paths).await?;
    process.spawn("watermark", watcher.run(process.stopping()));
    process.spawn("conflicts", counter.run(process.stopping()));
    process.spawn(
        "cache",
        forget_retired(Arc::clone(&reader), process.stopping()),
    );
    tracing::info!(addr = %config.http.addr, "query-api listens on {}; its paths are told at /docs", config.http.addr);
    Ok(())
}

/// What answers, and what must run for it to. Nothing is asked yet.
fn build(
    config: &Config,
    health: &Health,
    stopping: CancellationToken,
) -> (Arc<Reader>, Watcher, Counter) {
    let read_model = Arc::new(ReadModel::new(
        config.clickhouse.clone(),
        config.limits.clone(),
    ));
    // A look is two queries and a pause; one that takes longer than that is stuck.
    let check = health.progress_check("read-model", config.limits.time * 2 + STUCK_AFTER);
    let (watcher, watch) = Watcher::new(Arc::clone(&read_model), check, config.after.max_wait);
    let (counter, conflicts) = Counter::new(Arc::clone(&read_model), watch.clone());
    let playbacks = Playbacks {
        read_model: Arc::clone(&read_model),
        watch: watch.clone(),
        settle_after_ms: config.policy.settle_after_ms,
    };
    let live = Hub::new(playbacks, config.live.clone(), stopping);
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

/// Empties the cache whenever another generation becomes active (invariant I8). Its answers could not be told any more anyway:
/// the generation is part of their key.
async fn forget_retired(
    reader: Arc<Reader>,
    stopping: CancellationToken,
) -> Result<(), Infallible> {
    let mut watch: Watch = reader.watch.clone();
    let forget = async {
        while watch.next_generation().await {
            reader.cache.forget();
        }
    };
    stopping.run_until_cancelled(forget).await;
    Ok(())
}

/// Prints the document. It is the same under every configuration.
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
