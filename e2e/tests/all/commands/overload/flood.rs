//! More requests than the command-api can handle while Kafka is unavailable: its memory stays below the configured limits.

use std::time::{Duration, Instant};

use ess_e2e::TestApp;
use futures::future::join_all;

use super::*;

const MIB: u64 = 1 << 20;
/// `IN_FLIGHT_MAX_BYTES`.
const BODY_BYTES: u64 = 16 * MIB;
/// `IN_FLIGHT_MAX_ITEMS`.
const ITEMS: u64 = 20_000;
/// `KAFKA_QUEUE_KBYTES` and `KAFKA_QUEUE_MESSAGES`.
const QUEUE_BYTES: u64 = 16 * MIB;
const QUEUE_RECORDS: u64 = 20_000;
/// Memory of an item in flight beside its text: the decoded item, and its outcome.
const BYTES_PER_ITEM: u64 = 2_048;
/// Memory of a record in the queue beside its key, value and headers: the structures of librdkafka, and the pending outcome.
const BYTES_PER_RECORD: u64 = 512;
/// A body of several chunks is in memory twice while they are joined, and its decoded items have copies of their texts.
const COPIES: u64 = 3;
/// The size of the problem of an item in a response. Responses to slow readers are not counted as in flight; a connection has at
/// most one.
const BYTES_PER_PROBLEM: u64 = 400;
/// Buffers of connections, and free memory of the allocator.
const OVERHEAD: u64 = 48 * MIB;

const FLOOD: Plan = Plan {
    clients: 48,
    every: Duration::from_millis(1),
    lists_percent: 80,
    max_list: 2_000,
    padding: 600,
    answers_within: Duration::from_secs(5),
};
/// A second flood: requests with the maximum number of items, each of the minimum size and invalid.
const TINY_ITEMS: usize = 10_000;
const TINY_CLIENTS: usize = 64;
const TINY_REQUESTS: usize = 6;

#[tokio::test]
async fn a_flood_without_kafka_is_rejected_in_bounded_memory_and_ends_without_a_restart() {
    let broker = Broker::acquire().await;
    let app = broker
        .command_api(&[
            ("KAFKA_MESSAGE_TIMEOUT_MS", "2500"),
            ("APPEND_TIMEOUT_MS", "5000"),
            ("REQUEST_MAX_BYTES", "4194304"),
            ("IN_FLIGHT_MAX_BYTES", &BODY_BYTES.to_string()),
            ("IN_FLIGHT_MAX_ITEMS", &ITEMS.to_string()),
            ("KAFKA_QUEUE_KBYTES", &(QUEUE_BYTES / 1_024).to_string()),
            ("KAFKA_QUEUE_MESSAGES", &QUEUE_RECORDS.to_string()),
        ])
        .await;
    let idle = app.command_api.peak_memory();
    broker.freeze().await;
    let stopped = Instant::now();
    let load = Load::start(&app, FLOOD, seed());
    let ((), ()) = tokio::join!(flood_with_tiny_items(&app), async {
        // The queue fills, and all of its records time out at least once.
        load.until_overloaded(MANY).await;
        load.until_unavailable(QUEUE_RECORDS as usize).await;
    });
    let resumed = Instant::now();
    assert_within_memory(&app, idle);
    broker.thaw().await;
    load.until_acknowledged(MANY).await;
    let exchanges = load.stop().await;
    assert_nothing_acknowledged(&exchanges, stopped, resumed);
    let totals = account(&app, &exchanges).await;
    assert!(totals.rejected > 0 && totals.acknowledged > 0, "{totals:?}");
}

/// An item of a few bytes becomes a problem of some hundred bytes, which the limit on body bytes does not cover.
async fn flood_with_tiny_items(app: &TestApp) {
    let body = format!("[{}]", vec!["1"; TINY_ITEMS].join(","));
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
    reason = "the test harness shows it with the failure"
)]
fn assert_within_memory(app: &TestApp, idle: u64) {
    let peak = app.command_api.peak_memory();
    let allowed = idle
        + COPIES * BODY_BYTES
        + ITEMS * BYTES_PER_ITEM
        + QUEUE_BYTES
        + QUEUE_RECORDS * BYTES_PER_RECORD
        + FLOOD.clients * FLOOD.max_list as u64 * BYTES_PER_PROBLEM
        + (TINY_CLIENTS * TINY_ITEMS) as u64 * BYTES_PER_PROBLEM
        + OVERHEAD;
    println!(
        "peak memory: {} MiB; idle: {} MiB; allowed: {} MiB",
        peak / MIB,
        idle / MIB,
        allowed / MIB
    );
    assert!(
        peak < allowed,
        "peak memory is {peak} bytes; at most {allowed} are allowed"
    );
}
