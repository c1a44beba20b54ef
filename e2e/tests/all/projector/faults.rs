//! Kills under load: of the projector, of ClickHouse, of Kafka, and of other projectors in the group.

mod run;

use std::sync::Arc;

use ess_e2e::{Builder, Parts, TestApp, eventually};
use rand::RngExt as _;
use tokio::task::spawn_blocking;

use self::run::Run;
use super::{append_many, projector_alone, stored};

const KILLS: usize = 20;
const OUTAGES: usize = 4;

/// Small batches, many of them in flight, and inserts that take longer than the interval between two commits: a commit that does not
/// wait for its rows is ahead of them when the projector is killed.
async fn slow_to_store() -> TestApp {
    let builder = in_small_batches().env("PROJECTOR_BATCH_ROWS", "50");
    let app = builder.env("PROJECTOR_IN_FLIGHT", "16").start().await;
    app.execute("ALTER TABLE events ADD CONSTRAINT slow CHECK sleepEachRow(0.01) = 0")
        .await;
    app
}

/// Small batches, so that many are in flight when a fault happens.
fn in_small_batches() -> Builder {
    TestApp::builder()
        .env("PROJECTOR_BATCH_ROWS", "100")
        .env("PROJECTOR_FLUSH_MS", "1")
}

#[tokio::test]
async fn a_projector_killed_repeatedly_commits_no_row_that_is_not_stored_and_loses_none() {
    let mut run = Run::on(slow_to_store().await);
    for _ in 0..KILLS {
        run.round(async |app| app.projector.kill().await).await;
        run.assert_commits_follow_rows().await;
        run.app.projector.start().await;
    }
    run.assert_nothing_is_lost_or_counted_twice().await;
}

#[tokio::test]
async fn clickhouse_killed_during_inserts_loses_nothing_and_counts_nothing_twice() {
    through_outages(|parts| {
        parts.clickhouse(|server| server.kill().and_then(|()| server.restart()))
    })
    .await;
}

#[tokio::test]
async fn kafka_killed_under_load_has_every_acknowledged_record_and_each_is_stored_once() {
    through_outages(|parts| parts.kafka(|broker| broker.kill().and_then(|()| broker.restart())))
        .await;
}

/// Rounds of load; in each of them one of the servers is killed and restarted.
async fn through_outages(outage: fn(&Parts) -> ess_parts::Result<()>) {
    let parts = Arc::new(spawn_blocking(Parts::start).await.unwrap());
    let app = in_small_batches().parts(Arc::clone(&parts)).start().await;
    let mut run = Run::on(app);
    for _ in 0..OUTAGES {
        let parts = Arc::clone(&parts);
        run.round(async |_| {
            let ended = spawn_blocking(move || outage(&parts));
            ended.await.unwrap().unwrap();
        })
        .await;
        run.assert_commits_follow_rows().await;
    }
    run.assert_nothing_is_lost_or_counted_twice().await;
}

#[tokio::test]
async fn projectors_that_join_and_leave_under_load_lose_nothing_and_count_nothing_twice() {
    let app = in_small_batches().start().await;
    let others = [app.another_projector(), app.another_projector()];
    let mut run = Run::on(app);
    for _ in 0..2 {
        for other in &others {
            run.round(async |_| other.spawn()).await;
            run.assert_commits_follow_rows().await;
        }
        let (killed, terminated) = if run.random.random() { (0, 1) } else { (1, 0) };
        run.round(async |_| others[killed].kill().await).await;
        run.assert_commits_follow_rows().await;
        // A projector that has just started may be terminated before it is ready; it must exit cleanly, too.
        run.round(async |_| assert_eq!(others[terminated].terminate().await, 0))
            .await;
        run.assert_commits_follow_rows().await;
    }
    run.assert_nothing_is_lost_or_counted_twice().await;
}

#[tokio::test]
async fn without_clickhouse_the_projector_is_unready_commits_nothing_and_then_catches_up() {
    let parts = Arc::new(spawn_blocking(Parts::start).await.unwrap());
    let app = projector_alone()
        .parts(Arc::clone(&parts))
        .env("PROJECTOR_BATCH_ROWS", "100")
        .start()
        .await;
    let group = format!(
        "{}-g{}",
        app.setting("PROJECTOR_GROUP"),
        app.generation().await
    );
    let server = Arc::clone(&parts);
    let killed = spawn_blocking(move || server.clickhouse(ess_parts::ClickHouse::kill));
    killed.await.unwrap().unwrap();
    append_many(&app, "meanwhile", 2_000).await;
    eventually("the reason is reported", async || {
        match app.projector.readiness().await {
            Err(reason) if reason.contains("inserting events") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    eventually("the partitions are paused", async || {
        let log = app.projector.log();
        let paused = log.contains("partitions paused");
        if paused {
            Ok(())
        } else {
            Err("not paused".to_owned())
        }
    })
    .await;
    let committed = app.topic.committed_offsets(&group).await;
    assert!(
        committed.is_empty(),
        "committed without a stored row: {committed:?}"
    );
    let restarted = spawn_blocking(move || parts.clickhouse(ess_parts::ClickHouse::restart));
    restarted.await.unwrap().unwrap();
    app.wait_until_everything_is_projected().await;
    app.projector.wait_until_ready().await;
    assert_eq!(stored(&app).await, 2_000);
}
