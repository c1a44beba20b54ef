//! More than it can take, with no log to put it to: memory stays below what its configuration allows.

use std::time::{Duration, Instant};

use ess_e2e::TestApp;
use futures::future::join_all;

use super::*;

const MIB: u64 = 1 << 20;
/// `IN_FLIGHT_MAX_BYTES`.
const BODIES: u64 = 16 * MIB;
/// `IN_FLIGHT_MAX_ITEMS`.
const ITEMS: u64 = 20_000;
/// `KAFKA_QUEUE_KBYTES` and `KAFKA_QUEUE_MESSAGES`.
const QUEUE: u64 = 16 * MIB;
const RECORDS: u64 = 20_000;
/// What an item costs beside its text while it is worked on: what was read of it, and what is told of it.
const PER_ITEM: u64 = 2_048;
/// What librdkafka keeps of a record beside its key, value and headers, and the ticket to its outcome.
const PER_RECORD: u64 = 512;
/// Bodies that come in several pieces are held twice while they are put together, and what is read of an item holds its texts once
/// more.
const COPIES: u64 = 3;
/// What an answer says of an item that was not appended. Answers on their way to those who read them slowly are not counted as in
/// flight: each connection has one at most.
const PER_TOLD: u64 = 400;
/// Buffers of connections, and what the allocator does not give back.
const REST: u64 = 48 * MIB;

const FLOOD: Plan = Plan {
    clients: 48,
    every: Duration::from_millis(1),
    lists_percent: 80,
    longest_list: 2_000,
    padding: 600,
    answers_within: Duration::from_secs(5),
};
/// Requests of another flood: of as many items as there may be, each as small as it may be and no event.
const TINY: usize = 10_000;
const TINY_CLIENTS: usize = 64;
const TINY_REQUESTS: usize = 6;

#[tokio::test]
async fn a_flood_without_a_log_is_refused_in_bounded_memory_and_ends_by_itself() {
    let broker = Broker::lent().await;
    let app = broker
        .command_api(&[
            ("KAFKA_MESSAGE_TIMEOUT_MS", "2500"),
            ("APPEND_TIMEOUT_MS", "5000"),
            ("REQUEST_MAX_BYTES", "4194304"),
            ("IN_FLIGHT_MAX_BYTES", &BODIES.to_string()),
            ("IN_FLIGHT_MAX_ITEMS", &ITEMS.to_string()),
            ("KAFKA_QUEUE_KBYTES", &(QUEUE / 1_024).to_string()),
            ("KAFKA_QUEUE_MESSAGES", &RECORDS.to_string()),
        ])
        .await;
    let idle = app.command_api.peak_memory();
    broker.freeze().await;
    let stopped = Instant::now();
    let load = Load::begin(&app, FLOOD, seed());
    let ((), ()) = tokio::join!(flood_with_tiny_items(&app), async {
        // The queue fills, and is given up as a whole at least once.
        load.until_overloaded(MANY).await;
        load.until_unavailable(RECORDS as usize).await;
    });
    let resumed = Instant::now();
    assert_within_memory(&app, idle);
    broker.thaw().await;
    load.until_acknowledged(MANY).await;
    let exchanges = load.end().await;
    assert_nothing_acknowledged(&exchanges, stopped, resumed);
    let totals = account(&app, &exchanges).await;
    assert!(totals.refused > 0 && totals.acknowledged > 0, "{totals:?}");
}

/// A few bytes of each become a problem of some hundred: bodies in flight do not bound that.
async fn flood_with_tiny_items(app: &TestApp) {
    let body = format!("[{}]", vec!["1"; TINY].join(","));
    let send = async |_| {
        for _ in 0..TINY_REQUESTS {
            let answer = app.post("/commands", "application/json", body.as_str());
            let answer = answer.await;
            assert!(matches!(answer.status, 207 | 503), "{}", answer.status);
        }
    };
    join_all((0..TINY_CLIENTS).map(send)).await;
}

#[expect(
    clippy::print_stdout,
    reason = "the test harness shows it with a failure"
)]
fn assert_within_memory(app: &TestApp, idle: u64) {
    let peak = app.command_api.peak_memory();
    let allowed = idle
        + COPIES * BODIES
        + ITEMS * PER_ITEM
        + QUEUE
        + RECORDS * PER_RECORD
        + FLOOD.clients * FLOOD.longest_list as u64 * PER_TOLD
        + (TINY_CLIENTS * TINY) as u64 * PER_TOLD
        + REST;
    println!(
        "{} MiB at most, {} idle, {} allowed",
        peak / MIB,
        idle / MIB,
        allowed / MIB
    );
    assert!(
        peak < allowed,
        "{peak} bytes were resident, {allowed} allowed"
    );
}
