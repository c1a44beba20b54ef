//! `ess-load run`: scenario → facts → schedule → send → record, sampled once a second, then settle and proof, and a report of it
//! all. Wires the parts together; each is a module of its own.

mod args;
mod outcome;

pub(crate) use args::RunArgs;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ess_schema::{TestId, Timestamp};
use reqwest::Client;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::chaos::FaultInjector;
use crate::clock;
use crate::error::Error;
use crate::facts::feed::FactFeed;
use crate::facts::source::{FactSource, Kind};
use crate::read_model::ReadModel;
use crate::report::{Fault, Machine, Report, Sample};
use crate::scenario::{Body, Model, Scenario};
use crate::schedule::{Schedule, reads};
use crate::send::Sender;
use crate::send::target::{CommandApi, Target};
use crate::signals::Signals;
use crate::simulate::SimulatorConfig;
use crate::watch::Sampler;
use crate::watch::live::{Goal, LiveView};
use outcome::{CompletedRun, outcome};

/// How long requests in flight may take once the run was stopped.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(70);

/// Runs a scenario and reports.
///
/// # Errors
/// When the run cannot begin, for example because nothing responds.
pub(crate) async fn run(args: &RunArgs) -> Result<Report, Error> {
    let scenario = args.scenario()?;
    let http = client()?;
    require_response(&http, &scenario.targets.command_api).await?;
    let read_model = ReadModel::new(http.clone(), &scenario.targets, args.access());
    if scenario.check {
        read_model.database().await.map_err(Error::ReadModel)?;
    }
    let machine = Machine::read();
    let stop = CancellationToken::new();
    let signals = Signals::listen(stop.clone()).map_err(Error::Signals)?;
    let (test_id, began) = (test_id(&scenario, args.name())?, clock::now()?);
    let source = source(&scenario, &test_id, began);
    let target = Target::Http(CommandApi::new(
        &scenario.targets.command_api,
        source.body(),
    ));
    let feed = FactFeed::new(source.clone());
    let sender = Arc::new(Sender::new(target, scenario.batch, feed, stop));
    let live = LiveView::new(args.name(), Goal::of(&scenario));
    let start = Instant::now();
    let sampler = Sampler {
        sender: Arc::clone(&sender),
        http,
        projector: Some(scenario.targets.projector.clone()),
        pids: args.pids(),
        start,
    };
    let (measured, took, faults) = send(&scenario, sampler, &live, &signals).await?;
    let run = CompletedRun {
        name: args.name().to_owned(),
        scenario,
        test_id,
        source,
        machine,
        samples: measured,
        took,
        faults,
    };
    Ok(outcome(run, &sender, &read_model, &live, &signals).await)
}

/// Sends everything. Returns the samples, how long the sending took, and the faults that were injected.
async fn send(
    scenario: &Scenario,
    sampler: Sampler,
    live: &LiveView,
    signals: &Signals,
) -> Result<(Vec<Sample>, Duration, Vec<Fault>), Error> {
    let (sender, start) = (Arc::clone(&sampler.sender), sampler.start);
    let injector = match &scenario.chaos {
        Some(chaos) => {
            let injector = FaultInjector::new(chaos, &sampler.pids, start)?;
            Some(injector.spawn(&sender.stop))
        }
        None => None,
    };
    let sampling = sampler.spawn(live.clone());
    let reading = scenario.reads.clone().map(|reads| {
        let url = scenario.targets.query_api.clone();
        tokio::spawn(reads::run(reads, url, Arc::clone(&sender), start))
    });
    send_all(Schedule::of(scenario), &sender, start, live, signals).await;
    let took = start.elapsed();
    if let Some(reading) = reading {
        reading.abort();
    }
    let faults = match injector {
        Some(injector) => injector.finish().await,
        None => Vec::new(),
    };
    Ok((sampling.finish().await, took, faults))
}

/// Sends until everything is sent. After the run was stopped it waits for the responses under way, until the next signal or a
/// timeout.
pub(crate) async fn send_all(
    schedule: Schedule,
    sender: &Arc<Sender>,
    start: Instant,
    live: &LiveView,
    signals: &Signals,
) {
    let stopped = async {
        sender.stop.cancelled().await;
        live.message("stopping: waiting for the responses under way (Ctrl-C skips this)");
        tokio::select! {
            () = drain_timeout(sender) => {}
            () = signals.another() => {}
        }
    };
    tokio::select! {
        () = schedule.run(sender, start) => {}
        () = stopped => {}
    }
}

/// Returns when requests are still in flight after the timeout. Everything else ends by itself after a stop.
async fn drain_timeout(sender: &Sender) {
    let deadline = Instant::now() + DRAIN_TIMEOUT;
    while Instant::now() < deadline && sender.in_flight.load(Ordering::Relaxed) > 0 {
        sleep(Duration::from_millis(20)).await;
    }
    if Instant::now() < deadline {
        std::future::pending::<()>().await;
    }
}

/// The HTTP client for what is no load: the first request, metrics, ClickHouse.
pub(crate) fn client() -> Result<Client, Error> {
    let client = Client::builder().no_proxy().timeout(Duration::from_mins(2));
    client.build().map_err(Error::Client)
}

/// Fails unless something responds at `url`.
pub(crate) async fn require_response(http: &Client, url: &str) -> Result<(), Error> {
    let url = url.trim_end_matches('/');
    let response = http.get(format!("{url}/")).send().await;
    let unreachable = |error: reqwest::Error| Error::Unreachable {
        url: url.to_owned(),
        reason: root_cause(&error),
    };
    response.map(|_| ()).map_err(unreachable)
}

/// The innermost cause: the error of the operating system.
fn root_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => root_cause(cause),
        None => error.to_string(),
    }
}

fn test_id(scenario: &Scenario, name: &str) -> Result<TestId, Error> {
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    let text = if let Some(given) = &scenario.test_id {
        given.clone()
    } else {
        let stem = Path::new(name).file_stem();
        let stem = stem.map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let stem: String = stem.chars().filter(is_allowed).take(32).collect();
        format!("{stem}-{}", clock::now()?.as_millis())
    };
    // Both consist of allowed characters.
    TestId::new(text).map_err(|error| Error::TestId(error.to_string()))
}

fn source(scenario: &Scenario, test_id: &TestId, began: Timestamp) -> FactSource {
    let kind = match scenario.body {
        Body::Untyped => Kind::Untyped(test_id.clone()),
        body => {
            let start = simulation_start(scenario, began);
            let config = SimulatorConfig {
                test_id: Some(test_id.clone()),
                ..SimulatorConfig::new(scenario.seed, scenario.playbacks, start)
            };
            Kind::Simulated(config, body)
        }
    };
    FactSource { kind, began }
}

/// Players in real time play now. All other facts happened within the last hour: a fact must not be in the future.
fn simulation_start(scenario: &Scenario, began: Timestamp) -> Timestamp {
    let is_real_time = scenario.speed.is_none_or(|speed| speed <= 1.0);
    match scenario.model {
        Model::Players if is_real_time => began,
        _ => clock::hour_before(began),
    }
}
