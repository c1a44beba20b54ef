//! A broker that stalls, stops, crashes and returns while many clients keep sending. Every request gets its response in time; every
//! acknowledged event is in the log, and no rejected one; appending resumes without a restart.

mod account;
mod exchange;
mod flood;
mod load;

use std::time::{Duration, Instant};

use ess_e2e::{TestApp, eventually};

use self::account::{Totals, account, assert_nothing_acknowledged, repeat_unacknowledged};
use self::exchange::Exchange;
use self::load::{Load, Plan};
use super::broker::Broker;
use crate::traffic::seed;

/// A typical stall of a broker: a full garbage collection, a slow disk.
const STALL: Duration = Duration::from_secs(2);
/// Events in each phase of a test: hundreds of requests.
const MANY: usize = 1_000;
/// Events rejected while Kafka is unavailable: at least some of every client, because each waits for its response.
const REFUSED: usize = 150;
/// Short timeouts for appending.
const SHORT_TIMEOUTS: [(&str, &str); 2] = [
    ("KAFKA_MESSAGE_TIMEOUT_MS", "1500"),
    ("APPEND_TIMEOUT_MS", "4000"),
];
const STEADY: Plan = Plan {
    clients: 24,
    every: Duration::from_millis(20),
    lists_percent: 30,
    max_list: 20,
    padding: 0,
    answers_within: Duration::from_secs(4),
};

#[tokio::test]
async fn during_a_stall_of_two_seconds_nothing_is_rejected() {
    let broker = Broker::acquire().await;
    let app = broker.command_api(&[]).await;
    let plan = Plan {
        // The default of APPEND_TIMEOUT_MS.
        answers_within: Duration::from_secs(12),
        ..STEADY
    };
    let load = Load::start(&app, plan, seed());
    load.until_acknowledged(MANY).await;
    broker.freeze().await;
    let frozen = Instant::now();
    eventually("the broker has stalled for two seconds", async || {
        let stalled = frozen.elapsed();
        (stalled >= STALL)
            .then_some(())
            .ok_or(format!("{stalled:?}"))
    })
    .await;
    broker.thaw().await;
    load.until_acknowledged(MANY).await;
    let exchanges = load.stop().await;
    let totals = account(&app, &exchanges).await;
    let acknowledged = totals.acknowledged;
    let all = Totals {
        acknowledged,
        ..Totals::default()
    };
    assert_eq!(totals, all);
}

#[tokio::test]
async fn while_the_broker_is_paused_requests_get_503_or_504_correctly() {
    let broker = Broker::acquire().await;
    let app = broker.command_api(&SHORT_TIMEOUTS).await;
    let load = Load::start(&app, STEADY, seed());
    load.until_acknowledged(MANY).await;
    broker.freeze().await;
    let stopped = Instant::now();
    load.until_unknown(1).await;
    load.until_unavailable(REFUSED).await;
    let resumed = Instant::now();
    broker.thaw().await;
    load.until_acknowledged(MANY).await;
    let exchanges = load.stop().await;
    assert_nothing_acknowledged(&exchanges, stopped, resumed);
    assert_all_is_accounted_for(&app, &exchanges).await;
}

#[tokio::test]
async fn while_the_broker_is_down_requests_get_503() {
    let broker = Broker::acquire().await;
    let app = broker.command_api(&SHORT_TIMEOUTS).await;
    let load = Load::start(&app, STEADY, seed());
    load.until_acknowledged(MANY).await;
    broker.kill().await;
    let stopped = Instant::now();
    load.until_unavailable(REFUSED).await;
    let resumed = Instant::now();
    broker.restart().await;
    load.until_acknowledged(MANY).await;
    let exchanges = load.stop().await;
    assert_nothing_acknowledged(&exchanges, stopped, resumed);
    assert_all_is_accounted_for(&app, &exchanges).await;
}

/// Asserts that the log has the acknowledged events, and after a repetition of the others, all events.
#[expect(
    clippy::print_stdout,
    reason = "the test harness shows it with the failure"
)]
async fn assert_all_is_accounted_for(app: &TestApp, exchanges: &[Exchange]) {
    let totals = account(app, exchanges).await;
    println!("{totals:?}");
    repeat_unacknowledged(app, exchanges).await;
    assert!(app.command_api.is_alive(), "the command-api has restarted");
}
