//! `ess-load players`: the schedule of players and the sender of `ess-load run`, with retries and a summary in place of proof and
//! report. Sends to the command-api, or straight into Kafka.

mod args;
mod summary;

pub(crate) use args::PlayersArgs;

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::error::Error;
use crate::facts::feed::FactFeed;
use crate::facts::source::{FactSource, Kind};
use crate::run::{client, require_response, send_all};
use crate::schedule::Schedule;
use crate::send::Sender;
use crate::send::kafka::{KafkaTopic, MAX_IN_FLIGHT};
use crate::send::target::{CommandApi, Target};
use crate::signals::Signals;
use crate::usage::Pids;
use crate::watch::Sampler;
use crate::watch::live::{Goal, LiveView};
pub(crate) use summary::Ending;
use summary::Summary;

/// Sends the facts of all playbacks, and summarizes.
///
/// # Errors
/// When the run cannot begin, for example because nothing responds.
pub(crate) async fn run(args: PlayersArgs) -> Result<Summary, Error> {
    let began = clock::now()?;
    let target = connect(&args).await?;
    let source = FactSource {
        kind: Kind::Simulated(args.simulator(began), args.body()),
        began,
    };
    let stop = CancellationToken::new();
    let signals = Signals::listen(stop.clone()).map_err(Error::Signals)?;
    let feed = FactFeed::without_ledger(source);
    let sender = Sender::new(target, args.batch(), feed, stop).with_retries();
    let sender = Arc::new(sender);
    let live = LiveView::new("players", Goal::Playbacks(args.playbacks));
    let start = Instant::now();
    let sampler = Sampler {
        sender: Arc::clone(&sender),
        http: client()?,
        projector: None,
        pids: Pids::default(),
        start,
    };
    let sampling = sampler.spawn(live.clone());
    let schedule = Schedule::Players(args.pace(), args.concurrency());
    send_all(schedule, &sender, start, &live, &signals).await;
    let took = start.elapsed();
    sampling.finish().await;
    live.finish();
    Ok(Summary {
        record: sender.record.snapshot(),
        playbacks: args.playbacks,
        took,
        rate: args.rate,
        was_interrupted: signals.came(),
    })
}

async fn connect(args: &PlayersArgs) -> Result<Target, Error> {
    let (batch, concurrency) = (args.batch(), args.concurrency());
    if batch * concurrency > MAX_IN_FLIGHT {
        return Err(Error::TooManyInFlight {
            batch,
            concurrency,
            max: MAX_IN_FLIGHT,
        });
    }
    if let Some(brokers) = &args.kafka {
        return Ok(Target::Kafka(
            KafkaTopic::connect(brokers, &args.topic).await?,
        ));
    }
    let url = args.url.as_str();
    require_response(&client()?, url).await?;
    Ok(Target::Http(CommandApi::new(url, args.body())))
}
