//! `ess-load run`: scenario → facts → senders → record, a look at it each second, then lag, drain and proof, and the report of it
//! all. Wires the parts together; each does its work in a file of its own.

mod args;
mod outcome;

pub(crate) use args::Args;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ess_schema::{TestId, Timestamp};
use reqwest::Client;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::chaos::Chaos;
use crate::clock;
use crate::error::Error;
use crate::facts::feed::Origin;
use crate::read_model::Store;
use crate::report::{Machine, Report};
use crate::scenario::{Model, Scenario};
use crate::schedule as drive;
use crate::send::Sender;
use crate::signals::Signals;
use crate::usage::Pids;
use crate::watch::live::Live;
use crate::watch::{Watch, Watched};
use outcome::{Ran, outcome};

/// How long requests under way may take to end once all was sent or the run was stopped.
const GRACE: Duration = Duration::from_secs(70);

/// Runs a scenario and reports.
///
/// # Errors
/// When the run cannot begin, for example because nothing answers.
pub(crate) async fn run(args: &Args) -> Result<Report, Error> {
    let scenario = args.scenario()?;
    let http = Client::builder().no_proxy().timeout(Duration::from_mins(2));
    let http = http.build().map_err(Error::Client)?;
    require_answer(&http, &scenario.targets.command_api).await?;
    let store = Store::new(http.clone(), &scenario.targets, args.access());
    if scenario.check {
        store.database().await.map_err(Error::Store)?;
    }
    let machine = Machine::read();
    let stop = CancellationToken::new();
    let signals = Signals::listen(stop.clone()).map_err(Error::Signals)?;
    let (test_id, began) = (test_id(&scenario, args.name())?, clock::now()?);
    let origin = Origin::new(
        &scenario,
        test_id,
        began,
        simulation_begins(&scenario, began),
    );
    let sender = Sender::new(
        &scenario.targets.command_api,
        origin.clone(),
        scenario.batch,
        stop,
    );
    let sender = Arc::new(sender);
    let live = Live::new(&scenario, args.name());
    let (took, watched, blows) =
        send(&scenario, &sender, &http, args.pids(), &live, &signals).await?;
    let ran = Ran {
        name: args.name().to_owned(),
        scenario,
        origin,
        machine,
        took,
        watched,
        blows,
    };
    Ok(outcome(ran, &sender, &store, &live, &signals).await)
}

/// Sends everything; returns how long that took, and what was seen meanwhile.
async fn send(
    scenario: &Scenario,
    sender: &Arc<Sender>,
    http: &Client,
    pids: Pids,
    live: &Live,
    signals: &Signals,
) -> Result<(Duration, Watched, Vec<crate::report::Blow>), Error> {
    let begin = Instant::now();
    let chaos = match &scenario.chaos {
        Some(chaos) => Some(Chaos::new(chaos, &pids, begin)?.start(&sender.stop)),
        None => None,
    };
    let watch = Watch::new(Arc::clone(sender), http.clone(), pids, scenario, begin);
    let watching = watch.start(live.clone());
    let asking = scenario.reads.clone().map(|reads| {
        let url = scenario.targets.query_api.clone();
        tokio::spawn(drive::ask(reads, url, Arc::clone(sender), begin))
    });
    let driving = drive::drive(scenario, sender, begin);
    tokio::select! {
        () = driving => {}
        () = overtime(sender, live, signals) => {}
    }
    let took = begin.elapsed();
    // Everybody else stops when the sending has ended.
    if let Some(asking) = asking {
        asking.abort();
    }
    let blows = match chaos {
        Some(chaos) => chaos.finish().await,
        None => Vec::new(),
    };
    Ok((took, watching.finish().await, blows))
}

/// The grace after a stop, or until a second signal, or never.
async fn overtime(sender: &Sender, live: &Live, signals: &Signals) {
    sender.stop.cancelled().await;
    live.say("stopping: waiting for the answers under way (Ctrl-C ends without them)");
    tokio::select! {
        () = grace(sender) => {}
        () = signals.another() => {}
    }
}

async fn grace(sender: &Sender) {
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline && sender.in_flight.load(Ordering::Relaxed) > 0 {
        sleep(Duration::from_millis(20)).await;
    }
    // Who is not in flight ends at the stop by itself.
    if Instant::now() < deadline {
        std::future::pending::<()>().await;
    }
}

async fn require_answer(http: &Client, url: &str) -> Result<(), Error> {
    let greeting = http
        .get(format!("{}/", url.trim_end_matches('/')))
        .send()
        .await;
    let unreachable = |error: reqwest::Error| Error::Unreachable {
        url: url.to_owned(),
        reason: crate::target::root_cause(&error),
    };
    greeting.map(|_| ()).map_err(unreachable)
}

fn test_id(scenario: &Scenario, name: &str) -> Result<TestId, Error> {
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    let text = if let Some(given) = &scenario.test_id {
        given.clone()
    } else {
        let stem = std::path::Path::new(name).file_stem();
        let stem = stem.map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let stem: String = stem.chars().filter(is_allowed).take(32).collect();
        format!("{stem}-{}", clock::now()?.as_millis())
    };
    // Both are made of allowed characters.
    TestId::new(text).map_err(|error| Error::TestId(error.to_string()))
}

/// Real players play now. All others tell what happened within the last hour: a fact must not lie in the future.
fn simulation_begins(scenario: &Scenario, began: Timestamp) -> Timestamp {
    let is_real_time = scenario.speed.is_none_or(|speed| speed <= 1.0);
    match scenario.model {
        Model::Players if is_real_time => began,
        _ => clock::hour_before(began),
    }
}
