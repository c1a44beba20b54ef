//! `bench query`: latency and rate of queries on a large read model while the projector keeps folding events. Each is measured beside
//! its yardstick: `SELECT 1`, a no-op route, or the bare SQL of the same query.

mod bare;
mod generate;
mod goals;
mod live;
mod measure;
mod phase;
mod report;
mod results;
mod scan;
mod staleness;

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use ess_load::http::{HttpClient, HttpRequest};
use ess_parts::Scratch;
use ess_parts::progress::note;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha12Rng;

use self::bare::{Bare, is_client_query};
use self::generate::Generator;
use self::live::Live;
use self::measure::QueryBench;
use self::report::QueryReport;
use self::results::Results;
use self::scan::{FIRST_PAGE, LATER_PAGE, Scan, Subject, page, ranged};
use self::staleness::StalenessSampler;
use crate::clock::now;
use crate::error::{Error, Result};
use crate::http::client::{Target, send};
use crate::http::service::{Cache, Service};
use crate::machine::Machine;
use crate::projector::Projector;
use crate::read_model::ReadModel;
use crate::recorder::Recorder;
use crate::report::publish;
use crate::servers::Servers;
use crate::topic::{self, Writer};

const NAME: &str = "bench_query";
const TOPIC: &str = "bench-query";
/// Number of ids to read: more than a load can use.
const IDS: u64 = 400_000;
/// Playbacks that are read from the cache.
const CACHED_IDS: u64 = 100;
const PAGE: &str = "/events?limit=100";
const PAGES: usize = 100;

/// Arguments of `query`.
#[derive(Debug, clap::Args)]
pub(crate) struct QueryArgs {
    #[command(flatten)]
    servers: Servers,
    /// Playbacks in the read model, of some 10 events each
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(10_000..=100_000_000))]
    playbacks: u64,
    /// Events that are appended per second during the measurements
    #[arg(long, default_value_t = 3_500, value_parser = clap::value_parser!(u64).range(1..=20_000))]
    rate: u64,
    /// Number of rounds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Duration of each load of reads in seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Number of requests of each query over many playbacks in a round
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(i64).range(1..=1_000))]
    repeats: i64,
    /// Subjects to measure, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t =
        [Subject::Reads, Subject::Cached, Subject::Top, Subject::Report, Subject::Retention, Subject::Events])]
    subjects: Vec<Subject>,
    /// Seed of all random numbers
    #[arg(long, default_value_t = 20_261_123)]
    seed: u64,
    /// Also write all measurements to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the benchmark.
///
/// # Errors
/// Any failure of a measurement.
pub(crate) async fn run(args: QueryArgs) -> Result<()> {
    let machine = Machine::read(&args.servers).await?;
    let settings = args.servers.settings(TOPIC, NAME)?;
    topic::create(&settings).await?;
    let model = ReadModel::new(&args.servers.clickhouse_url, NAME);
    model.activate().await?;
    let now_ms = now()?.as_millis();
    let environment = args.servers.environment(TOPIC, NAME);
    let generator = Generator {
        model: model.clone(),
        playbacks: args.playbacks,
        seed: args.seed,
        environment: environment.clone(),
        now_ms,
    };
    let filled = generator.run().await?;
    let tables = phase::sizes(&model).await?;

    let scratch = Scratch::new()?;
    let projector = Projector::start(&environment, scratch.path())?;
    let live = Live::start(Writer::new(&settings)?, args.seed, args.rate)?;
    live.wait_until_folded(&model).await?;
    let sampler = StalenessSampler::start(&model);
    let results = rounds(&args, &model, now_ms, &scratch, &live).await?;
    projector.require_alive()?;
    let staleness = sampler.stop()?;
    let live = live.stop(&model).await?;
    projector.stop()?;
    model.drop_databases().await?;
    let report = QueryReport {
        machine,
        seed: args.seed,
        playbacks: args.playbacks,
        filled,
        tables,
        live,
        staleness,
        results,
        verdicts: Vec::new(),
    };
    publish(&report.with_verdicts(), args.json.as_deref())
}

/// Starts the services and measures all rounds.
async fn rounds(
    args: &QueryArgs,
    model: &ReadModel,
    now_ms: i64,
    scratch: &Scratch,
    live: &Live,
) -> Result<Results> {
    let (url, logs) = (&args.servers.clickhouse_url, scratch.path());
    let recorder = Recorder::start(url, is_client_query).await?;
    let recorded_api = Service::query_api(recorder.url(), NAME, Cache::Off, logs).await?;
    let api = Service::query_api(url, NAME, Cache::Off, logs).await?;
    let cached = Service::query_api(url, NAME, Cache::Default, logs).await?;

    let mut ids = ids(model, IDS, "1").await?;
    ids.shuffle(&mut ChaCha12Rng::seed_from_u64(args.seed));
    let settled = ids_settled(model).await?;
    let first = format!("/stats/playback/{}", ids[0]);
    let read = Bare::record(&recorder, &recorded_api.target.url, &first).await?;
    let bytes = send(&HttpClient::new(&api.target.url), &HttpRequest::get(&first)).await?;
    let noop = Service::noop(bytes.body.len(), logs).await?;
    let mut scans = Vec::new();
    for scan in chosen(args, model, now_ms, &api.target.url).await? {
        let bare = Bare::record(&recorder, &recorded_api.target.url, &scan.path(0)?).await?;
        scans.push((scan, bare));
    }
    let bench = QueryBench {
        clickhouse: Target {
            url: url.clone(),
            pid: args.servers.clickhouse_pid,
        },
        api: api.target.clone(),
        cached: cached.target.clone(),
        noop: noop.target.clone(),
        ids: ids.into(),
        next_id: AtomicU64::new(1),
        settled: settled.into(),
        read,
        scans,
        duration: Duration::from_secs(args.seconds),
        repeats: args.repeats,
        subjects: args.subjects.clone(),
    };
    let mut results = Results::default();
    for round in 1..=args.rounds {
        note(&format!("round {round} of {}", args.rounds));
        bench.round(round, &mut results).await?;
        live.require_appending()?;
    }
    for service in [noop, cached, api, recorded_api] {
        service.stop()?;
    }
    Ok(results)
}

/// The chosen queries over many playbacks.
async fn chosen(
    args: &QueryArgs,
    model: &ReadModel,
    now_ms: i64,
    api_url: &str,
) -> Result<Vec<Scan>> {
    let hottest = format!(
        "SELECT track_id FROM {}.playbacks GROUP BY track_id ORDER BY count() DESC, track_id LIMIT 1",
        model.generation()
    );
    let mut scans = ranged(now_ms, &model.row::<String>(&hottest).await?);
    if args.subjects.contains(&Subject::Events) {
        scans.push(page(FIRST_PAGE, PAGE.to_owned()));
        scans.push(page(LATER_PAGE, hundredth_page(api_url).await?));
    }
    scans.retain(|scan| args.subjects.contains(&scan.subject));
    Ok(scans)
}

/// The current URL of the hundredth page of events.
async fn hundredth_page(api_url: &str) -> Result<String> {
    let client = HttpClient::new(api_url);
    let mut path = PAGE.to_owned();
    for _ in 1..PAGES {
        let page = send(&client, &HttpRequest::get(&path)).await?;
        let link = page.headers.get("link").and_then(|link| link.to_str().ok());
        let next = link.and_then(|link| link.strip_prefix('<')?.split_once('>'));
        let (next, _) = next.ok_or_else(|| Error::message(format!("{path} has no next page")))?;
        next.clone_into(&mut path);
    }
    Ok(path)
}

async fn ids_settled(model: &ReadModel) -> Result<Vec<String>> {
    let settled = "last_event_at < now() - INTERVAL 1 DAY";
    ids(model, CACHED_IDS, settled).await
}

/// Ids of playbacks, spread over the table.
async fn ids(model: &ReadModel, limit: u64, condition: &str) -> Result<Vec<String>> {
    let generation = model.generation();
    let sql = format!(
        "SELECT playback_id FROM {generation}.playbacks WHERE {condition} ORDER BY cityHash64(playback_id) LIMIT {limit}"
    );
    model.all(&sql).await
}
