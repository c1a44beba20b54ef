//! `bench query`: how fast questions are answered from a large read model that the projector goes on folding the log into, each
//! beside its yardstick: a query that does nothing, a route that does nothing, the bare SQL of the same question.

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

use ess_parts::Scratch;
use ess_parts::progress::note;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha12Rng;

use self::bare::{Bare, is_question};
use self::generate::Generator;
use self::live::{Live, now};
use self::measure::Bench;
use self::report::Report;
use self::results::Results;
use self::scan::{FIRST_PAGE, LATER_PAGE, Scan, Subject, page, ranged};
use self::staleness::Watch;
use crate::error::{Error, Result};
use crate::http::client::{Ask, Connection, Target};
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
/// Ids to read: more than any load asks for.
const IDS: u64 = 400_000;
/// Playbacks that are read from the cache.
const CACHED_IDS: u64 = 100;
const PAGE: &str = "/events?limit=100";
const PAGES: usize = 100;

/// What `query` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    servers: Servers,
    /// Playbacks in the read model, of some 10 events each
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(10_000..=100_000_000))]
    playbacks: u64,
    /// Facts that are appended each second while reads are measured
    #[arg(long, default_value_t = 3_500, value_parser = clap::value_parser!(u64).range(1..=20_000))]
    rate: u64,
    /// How often everything is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each load of reads lasts
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How often each question about many playbacks is asked in a round
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(i64).range(1..=1_000))]
    repeats: i64,
    /// What is measured, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t =
        [Subject::Reads, Subject::Cached, Subject::Top, Subject::Report, Subject::Retention, Subject::Events])]
    subjects: Vec<Subject>,
    /// What all chance comes from
    #[arg(long, default_value_t = 20_261_123)]
    seed: u64,
    /// Also write everything measured to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Measures.
///
/// # Errors
/// Whatever keeps something from being measured.
pub(crate) async fn run(args: Args) -> Result<()> {
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
    let live = Live::begin(Writer::new(&settings)?, args.seed, args.rate)?;
    live.wait_until_folded(&model).await?;
    let watch = Watch::begin(&model);
    let results = rounds(&args, &model, now_ms, &scratch, &live).await?;
    projector.require_alive()?;
    let staleness = watch.end()?;
    let live = live.end(&model).await?;
    projector.stop()?;
    model.drop_databases().await?;
    let report = Report {
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
    publish(&report.judged(), args.json.as_deref())
}

/// Starts what is measured, and measures it.
async fn rounds(
    args: &Args,
    model: &ReadModel,
    now_ms: i64,
    scratch: &Scratch,
    live: &Live,
) -> Result<Results> {
    let (url, logs) = (&args.servers.clickhouse_url, scratch.path());
    let recorder = Recorder::start(url, is_question).await?;
    let listened_to = Service::query_api(recorder.url(), NAME, Cache::Off, logs).await?;
    let api = Service::query_api(url, NAME, Cache::Off, logs).await?;
    let cached = Service::query_api(url, NAME, Cache::Default, logs).await?;

    let mut ids = ids(model, IDS, "1").await?;
    ids.shuffle(&mut ChaCha12Rng::seed_from_u64(args.seed));
    let settled = ids_settled(model).await?;
    let first = format!("/stats/playback/{}", ids[0]);
    let read = Bare::record(&recorder, &listened_to.target.url, &first).await?;
    let bytes = Connection::to(&api.target.url)
        .send(&Ask::get(&first))
        .await?;
    let noop = Service::noop(bytes.body.len(), logs).await?;
    let mut scans = Vec::new();
    for scan in chosen(args, model, now_ms, &api.target.url).await? {
        let bare = Bare::record(&recorder, &listened_to.target.url, &scan.path(0)?).await?;
        scans.push((scan, bare));
    }
    let bench = Bench {
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
        lasting: Duration::from_secs(args.seconds),
        repeats: args.repeats,
        subjects: args.subjects.clone(),
    };
    let mut results = Results::default();
    for round in 1..=args.rounds {
        note(&format!("round {round} of {}", args.rounds));
        bench.round(round, &mut results).await?;
        live.require_appending()?;
    }
    for service in [noop, cached, api, listened_to] {
        service.stop()?;
    }
    Ok(results)
}

/// The questions about many playbacks that are to be asked.
async fn chosen(args: &Args, model: &ReadModel, now_ms: i64, api_url: &str) -> Result<Vec<Scan>> {
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

/// The address of the hundredth page of events, as of now.
async fn hundredth_page(api_url: &str) -> Result<String> {
    let mut connection = Connection::to(api_url);
    let mut path = PAGE.to_owned();
    for _ in 1..PAGES {
        let page = connection.send(&Ask::get(&path)).await?;
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

/// Ids of playbacks from all over the table.
async fn ids(model: &ReadModel, most: u64, condition: &str) -> Result<Vec<String>> {
    let generation = model.generation();
    let sql = format!(
        "SELECT playback_id FROM {generation}.playbacks WHERE {condition} ORDER BY cityHash64(playback_id) LIMIT {most}"
    );
    model.all(&sql).await
}
