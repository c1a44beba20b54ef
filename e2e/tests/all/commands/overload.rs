//! A log that stalls, stops, dies and comes back while many clients go on sending: each is answered within the configured time,
//! nothing that was acknowledged is missing, nothing that was refused is there, and appending goes on by itself.

mod account;
mod exchange;
mod flood;
mod load;

use std::time::{Duration, Instant};

use ess_e2e::{TestApp, eventually};

use self::account::{
    Totals, account, assert_nothing_acknowledged, repeat_what_was_not_acknowledged,
};
use self::exchange::Exchange;
use self::load::{Load, Plan};
use super::broker::Broker;
use crate::traffic::seed;

/// As long as a broker stalls that does something else for once: a full collection, a slow disk.
const STALL: Duration = Duration::from_secs(2);
/// Events in each phase of a load: enough for hundreds of requests.
const MANY: usize = 1_000;
/// Events refused while the log is away: those of every client, for each waits for its answer.
const REFUSED: usize = 150;
/// A service that soon gives up appending.
const IMPATIENT: [(&str, &str); 2] = [
    ("KAFKA_MESSAGE_TIMEOUT_MS", "1500"),
    ("APPEND_TIMEOUT_MS", "4000"),
];
const STEADY: Plan = Plan {
    clients: 24,
    every: Duration::from_millis(20),
    lists_percent: 30,
    longest_list: 20,
    padding: 0,
    answers_within: Duration::from_secs(4),
};

#[tokio::test]
async fn a_stall_of_two_seconds_is_waited_for_and_nothing_is_refused() {
    let broker = Broker::lent().await;
    let app = broker.command_api(&[]).await;
    let plan = Plan {
        // APPEND_TIMEOUT_MS, unless configured.
        answers_within: Duration::from_secs(12),
        ..STEADY
    };
    let load = Load::begin(&app, plan, seed());
    load.until_acknowledged(MANY).await;
    broker.freeze().await;
    let frozen = Instant::now();
    eventually("it has stalled for two seconds", async || {
        let stalled = frozen.elapsed();
        (stalled >= STALL)
            .then_some(())
            .ok_or(format!("{stalled:?}"))
    })
    .await;
    broker.thaw().await;
    load.until_acknowledged(MANY).await;
    let exchanges = load.end().await;
    let totals = account(&app, &exchanges).await;
    let acknowledged = totals.acknowledged;
    let all = Totals {
        acknowledged,
        ..Totals::default()
    };
    assert_eq!(totals, all);
}

#[tokio::test]
async fn a_broker_that_is_paused_makes_it_503_or_504_and_each_is_true() {
    let broker = Broker::lent().await;
    let app = broker.command_api(&IMPATIENT).await;
    let load = Load::begin(&app, STEADY, seed());
    load.until_acknowledged(MANY).await;
    broker.freeze().await;
    let stopped = Instant::now();
    load.until_unknown(1).await;
    load.until_unavailable(REFUSED).await;
    let resumed = Instant::now();
    broker.thaw().await;
    load.until_acknowledged(MANY).await;
    let exchanges = load.end().await;
    assert_nothing_acknowledged(&exchanges, stopped, resumed);
    assert_all_is_accounted_for(&app, &exchanges).await;
}

#[tokio::test]
async fn a_broker_that_is_killed_makes_it_503_until_it_is_back() {
    let broker = Broker::lent().await;
    let app = broker.command_api(&IMPATIENT).await;
    let load = Load::begin(&app, STEADY, seed());
    load.until_acknowledged(MANY).await;
    broker.kill().await;
    let stopped = Instant::now();
    load.until_unavailable(REFUSED).await;
    let resumed = Instant::now();
    broker.restart().await;
    load.until_acknowledged(MANY).await;
    let exchanges = load.end().await;
    assert_nothing_acknowledged(&exchanges, stopped, resumed);
    assert_all_is_accounted_for(&app, &exchanges).await;
}

/// The log holds what it was said to hold, and with what is repeated now, everything.
#[expect(
    clippy::print_stdout,
    reason = "the test harness shows it with a failure"
)]
async fn assert_all_is_accounted_for(app: &TestApp, exchanges: &[Exchange]) {
    let totals = account(app, exchanges).await;
    println!("{totals:?}");
    repeat_what_was_not_acknowledged(app, exchanges).await;
    assert!(app.command_api.is_alive(), "it was another process");
}
