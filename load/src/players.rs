//! `ess-load players`: simulator → timeline → schedule → lanes → target, and the tally of what became of it all. Wires the
//! parts together; each does its work in a file of its own.

mod args;
mod schedule;
pub(crate) mod summary;

pub(crate) use args::Args;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::error::Error;
use crate::lane::{Due, Lane};
use crate::progress::Progress;
use crate::send::kafka::Kafka;
use crate::signals::Signals;
use crate::simulate::Simulator;
use crate::tally::Tally;
use crate::target::{Http, MOST_UNDER_WAY, Target};
use crate::timeline::{Fact, Timeline};
use schedule::Schedule;
use summary::Summary;

/// How long requests under way may take to end once the run was stopped.
const GRACE: Duration = Duration::from_secs(10);

/// Sends the facts of all playbacks and tells what became of them.
///
/// # Errors
/// When the run cannot begin, for example because nothing answers.
pub(crate) async fn run(args: Args) -> Result<Summary, Error> {
    let simulator = Simulator::new(args.simulator(clock::now()?));
    let target = Arc::new(connect(&args).await?);
    let (tally, stop) = (Arc::new(Tally::new()), CancellationToken::new());
    let signals = Signals::listen(stop.clone()).map_err(Error::Signals)?;
    let begin = Instant::now();
    let (inlets, lanes) = (0..args.concurrency())
        .map(|_| Lane::new(args.batch(), &target, &tally, &stop))
        .unzip();
    let timeline = Timeline::new(simulator);
    let schedule = Schedule::new(begin, args.rate);
    let sending = Box::pin(send(timeline, schedule, inlets, lanes, &stop));
    show_until_done(sending, Progress::new(args.playbacks, begin), &tally, &stop).await;
    Ok(Summary {
        counts: tally.counts(),
        playbacks: args.playbacks,
        took: begin.elapsed(),
        rate: args.rate,
        was_interrupted: signals.came(),
    })
}

async fn connect(args: &Args) -> Result<Target, Error> {
    let (batch, concurrency) = (args.batch(), args.concurrency());
    if batch * concurrency > MOST_UNDER_WAY {
        return Err(Error::TooManyUnderWay {
            batch,
            concurrency,
            most: MOST_UNDER_WAY,
        });
    }
    Ok(match &args.kafka {
        Some(brokers) => Target::Kafka(Kafka::connect(brokers, &args.topic).await?),
        None => Target::Http(Http::connect(args.url.as_str(), args.shape, concurrency).await?),
    })
}

/// Feeds the lanes and waits until all have sent what they were given.
async fn send(
    timeline: Timeline,
    schedule: Schedule,
    inlets: Vec<Sender<Due>>,
    lanes: Vec<Lane>,
    stop: &CancellationToken,
) {
    let mut running: JoinSet<()> = lanes.into_iter().map(Lane::run).collect();
    stop.run_until_cancelled(feed(timeline, schedule, &inlets))
        .await;
    // A lane ends once nothing more can come.
    drop(inlets);
    while running.join_next().await.is_some() {}
}

/// Hands each fact, when it is due, to the lane of its playback; waits while that lane is full.
async fn feed(timeline: Timeline, schedule: Schedule, inlets: &[Sender<Due>]) {
    for (number, fact) in (0..).zip(timeline) {
        let at = schedule.due(number);
        if let Some(at) = at.filter(|at| *at > Instant::now()) {
            sleep_until(at).await;
        }
        let inlet = lane_of(&fact, inlets);
        if inlet.send(Due { number, fact, at }).await.is_err() {
            return;
        }
    }
}

fn lane_of<'i>(fact: &Fact, inlets: &'i [Sender<Due>]) -> &'i Sender<Due> {
    &inlets[(fact.playback % inlets.len() as u64) as usize]
}

/// Shows how far it is until `sending` is done, or the grace after a stop is over.
async fn show_until_done(
    mut sending: impl Future<Output = ()> + Unpin,
    progress: Progress,
    tally: &Tally,
    stop: &CancellationToken,
) {
    let mut ticks = interval(progress.interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks.tick().await;
    let overtime = async {
        stop.cancelled().await;
        sleep(GRACE).await;
    };
    tokio::pin!(overtime);
    loop {
        tokio::select! {
            () = &mut sending => break,
            () = &mut overtime => break,
            _ = ticks.tick() => progress.show(&tally.counts()),
        }
    }
    progress.finish();
}
