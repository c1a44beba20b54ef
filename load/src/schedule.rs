//! Who sets the pace: users that send again as soon as they are answered, a rate that goes on whatever the answers do, or
//! players whose facts leave when they happen. Returns when all was sent, or the run stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::http::HttpClient;
use crate::scenario::{Model, Reads, Scenario, Stages};
use crate::send::{Due, Sender};

/// How often the number of users is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A receiver that is slower than the rate is not waited for longer than this: what is due then is never sent.
const MOST_BEHIND: Duration = Duration::from_secs(10);
/// Facts of players that are made ahead of their time, for each connection one.
const MOST_PLAYERS_AHEAD: usize = 512;

/// Sends what the scenario says, from `begin` on.
pub(crate) async fn drive(scenario: &Scenario, sender: &Arc<Sender>, begin: Instant) {
    let mut running = JoinSet::new();
    match scenario.model {
        Model::Closed => closed(scenario.levels(), sender, begin, &mut running).await,
        Model::Open => {
            let ticket = Arc::new(AtomicU64::new(0));
            let levels = Arc::new(scenario.levels());
            for worker in 0..scenario.connections {
                let (sender, ticket) = (Arc::clone(sender), Arc::clone(&ticket));
                running.spawn(open(
                    worker as u32,
                    Arc::clone(&levels),
                    sender,
                    ticket,
                    begin,
                ));
            }
        }
        Model::Players => {
            let speed = scenario.speed.unwrap_or(1.0);
            for worker in 0..scenario.connections.min(MOST_PLAYERS_AHEAD) {
                running.spawn(player(worker as u32, speed, Arc::clone(sender), begin));
            }
        }
    }
    while running.join_next().await.is_some() {}
}

/// Lets as many users send as the level says; those above it end after their request.
async fn closed(levels: Stages, sender: &Arc<Sender>, begin: Instant, running: &mut JoinSet<()>) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut spawned = 0;
    while let Some(level) = levels.level(begin.elapsed()) {
        let wanted = level.ceil() as u64;
        sender.users.store(wanted, Ordering::Relaxed);
        while spawned < wanted {
            running.spawn(user(spawned, Arc::clone(sender)));
            spawned += 1;
        }
        // Users beyond the level have ended or will: when it rises again they are started anew.
        spawned = spawned.min(wanted);
        if sender
            .stop
            .run_until_cancelled(ticks.tick())
            .await
            .is_none()
        {
            break;
        }
    }
    sender.users.store(0, Ordering::Relaxed);
}

async fn user(number: u64, sender: Arc<Sender>) {
    while number < sender.users.load(Ordering::Relaxed) && !sender.stop.is_cancelled() {
        let items = sender.take(number as u32 + 1);
        if items.is_empty() {
            return;
        }
        sender.send(items, None).await;
    }
}

/// Takes the next moment at which a request is due, waits for it, sends; with enough of its kind none is ever late.
async fn open(
    worker: u32,
    levels: Arc<Stages>,
    sender: Arc<Sender>,
    ticket: Arc<AtomicU64>,
    begin: Instant,
) {
    let ends = begin + levels.lasts() + MOST_BEHIND;
    while let Some(after) = levels.due(ticket.fetch_add(1, Ordering::Relaxed)) {
        let at = begin + after;
        if Instant::now() > ends {
            sender.unsent.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let due = wait_for(at);
        let Some(due) = sender.stop.run_until_cancelled(due).await else {
            return;
        };
        let items = sender.take(worker + 1);
        if items.is_empty() {
            return;
        }
        sender.send(items, Some(due)).await;
    }
}

/// Takes the next fact, waits until it happens, sends it.
async fn player(worker: u32, speed: f64, sender: Arc<Sender>, begin: Instant) {
    loop {
        let items = sender.take(worker + 1);
        let Some(last) = items.last() else { return };
        let after = Duration::from_secs_f64(last.after_ms as f64 / 1_000.0 / speed);
        let due = wait_for(begin + after);
        let Some(due) = sender.stop.run_until_cancelled(due).await else {
            return;
        };
        sender.send(items, Some(due)).await;
    }
}

async fn wait_for(at: Instant) -> Due {
    let was_overdue = at < Instant::now();
    if !was_overdue {
        sleep_until(at).await;
    }
    Due { at, was_overdue }
}

/// Asks questions at their rate, until `done`.
pub(crate) async fn ask(reads: Reads, url: String, sender: Arc<Sender>, begin: Instant) {
    let client = Arc::new(HttpClient::new(&url));
    let mut under_way = JoinSet::new();
    for (number, path) in (0_u64..).zip(reads.paths.iter().cycle()) {
        let at = begin + Duration::from_secs_f64(number as f64 / reads.rate);
        if sender
            .stop
            .run_until_cancelled(sleep_until(at))
            .await
            .is_none()
        {
            break;
        }
        while under_way.try_join_next().is_some() {}
        let (sender, client, path) = (Arc::clone(&sender), Arc::clone(&client), path.clone());
        under_way.spawn(async move { sender.question(&client, &path, at).await });
    }
}
