//! ClickHouse is away for minutes while the backlog grows far beyond the projector's memory: the projector stays within its memory
//! and in its group, reports the reason, and catches up by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ess_e2e::{DEADLINE, Parts, TestApp, eventually, eventually_within};
use futures::{StreamExt as _, stream};
use rand::distr::{Alphanumeric, SampleString as _};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng as _;
use tokio::task::spawn_blocking;

use super::{counter, projector_alone, stored};
use crate::traffic::seed;

const OUTAGE: Duration = Duration::from_mins(2);
const MEMORY_MBYTES: u64 = 128;
const RECORDS: usize = 300_000;
/// Large enough that the records need more than twice the memory.
const NOTE_BYTES: usize = 1_000;
/// Concurrent appends.
const APPENDING: usize = 10_000;

#[tokio::test]
async fn a_backlog_larger_than_the_memory_is_consumed_after_clickhouse_is_back() {
    let parts = Arc::new(spawn_blocking(Parts::start).await.unwrap());
    let app = projector_alone()
        .parts(Arc::clone(&parts))
        .env("PROJECTOR_MEMORY_MBYTES", &MEMORY_MBYTES.to_string())
        .start()
        .await;
    let (group, idle) = (app.group().await, app.projector.peak_memory());
    let before = group_state(&app, &group).await;
    assert_eq!(before.members.len(), 1);

    let server = Arc::clone(&parts);
    let killed = spawn_blocking(move || server.clickhouse(ess_parts::ClickHouse::kill));
    killed.await.unwrap().unwrap();
    let away = Instant::now();
    wait_until_unready(&app, "looking up the generations").await;
    append_notes(&app).await;
    wait_until_paused(&app).await;
    wait_until_lag_is_reported(&app).await;
    eventually_within(OUTAGE + DEADLINE, "the outage is over", async || {
        wait_until_unready(&app, "inserting events").await;
        assert_eq!(
            group_state(&app, &group).await,
            before,
            "the group was left"
        );
        assert_within_memory(&app);
        let over = away.elapsed() >= OUTAGE;
        over.then_some(()).ok_or_else(|| "not over yet".to_owned())
    })
    .await;
    let committed = app.topic.committed_offsets(&group).await;
    assert!(committed.is_empty(), "nothing is stored: {committed:?}");

    let restarted = spawn_blocking(move || parts.clickhouse(ess_parts::ClickHouse::restart));
    restarted.await.unwrap().unwrap();
    wait_until_all_is_stored(&app).await;
    app.projector.wait_until_ready().await;
    assert_eq!(
        group_state(&app, &group).await,
        before,
        "the group was left"
    );
    assert_eq!(app.dead_letters.records().await, []);
    assert_within_memory(&app);
    print_memory(&app, idle);
}

#[expect(
    clippy::print_stdout,
    reason = "the limits of the memory are derived from these figures"
)]
fn print_memory(app: &TestApp, idle: u64) {
    let peak = app.projector.peak_memory();
    println!("peak memory: {idle} bytes idle, {peak} bytes at the end, limit {MEMORY_MBYTES} MiB");
}

/// The members of the group, and the number of rebalances.
#[derive(Debug, PartialEq)]
struct GroupState {
    members: Vec<String>,
    rebalances: f64,
}

async fn group_state(app: &TestApp, group: &str) -> GroupState {
    GroupState {
        members: app.topic.members(group).await,
        rebalances: counter(app, "ess_projector_rebalances_total").await,
    }
}

/// Appends records with text that does not compress, so that fetched and decompressed records have the same size.
async fn append_notes(app: &TestApp) {
    let mut random = ChaCha12Rng::seed_from_u64(seed());
    let records = (0..RECORDS).map(|n| {
        let note = Alphanumeric.sample_string(&mut random, NOTE_BYTES);
        let id = format!("n{n}");
        let record = format!(r#"{{"id":"{id}","user_id":"u1","track_id":"t1","note":"{note}"}}"#);
        async move {
            let (key, value) = (Some(id.as_bytes()), Some(record.as_bytes()));
            app.topic.append(key, value, &[]).await
        }
    });
    let appending = stream::iter(records).buffer_unordered(APPENDING);
    assert_eq!(appending.count().await, RECORDS);
}

async fn wait_until_unready(app: &TestApp, what: &str) {
    eventually("the reason is reported", async || {
        match app.projector.readiness().await {
            Err(reason) if reason.contains(what) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

async fn wait_until_paused(app: &TestApp) {
    eventually("the partitions are paused", async || {
        let paused = app.projector.log().contains("partitions paused");
        paused.then_some(()).ok_or_else(|| "not paused".to_owned())
    })
    .await;
}

/// Nothing is stored, so the lag is all records, fetched or not.
async fn wait_until_lag_is_reported(app: &TestApp) {
    eventually("the lag is all records", async || {
        let lag = counter(app, "ess_projector_lag_messages").await;
        let reported = lag as usize == RECORDS;
        reported.then_some(()).ok_or_else(|| format!("{lag}"))
    })
    .await;
}

async fn wait_until_all_is_stored(app: &TestApp) {
    eventually_within(DEADLINE * 5, "everything is stored", async || {
        let events = stored(app).await;
        let all = events == RECORDS as u64;
        all.then_some(()).ok_or_else(|| format!("{events}"))
    })
    .await;
}

fn assert_within_memory(app: &TestApp) {
    let peak = app.projector.peak_memory();
    assert!(
        peak < MEMORY_MBYTES << 20,
        "{peak} bytes were resident; the limit is {MEMORY_MBYTES} MiB"
    );
}
