//! Ends without warning, of every part, under load: its own, the read model's, the log's, and those of its peers.

mod run;

use std::sync::Arc;

use ess_e2e::{Builder, Parts, TestApp, eventually};
use rand::RngExt as _;
use tokio::task::spawn_blocking;

use self::run::Run;
use super::{append_many, projector_alone, stored};

const KILLS: usize = 20;
const OUTAGES: usize = 4;

/// Small batches, many of them on their way at once and each stored slower than the projector commits: so that a commit
/// which does not wait for its rows is ahead of them when the end comes.
async fn slow_to_store() -> TestApp {
    let builder = in_small_batches().env("PROJECTOR_BATCH_ROWS", "50");
    let app = builder.env("PROJECTOR_IN_FLIGHT", "16").start().await;
    app.execute("ALTER TABLE events ADD CONSTRAINT slow CHECK sleepEachRow(0.01) = 0")
        .await;
    app
}

/// Small batches, so that a fault finds many on their way.
fn in_small_batches() -> Builder {
    TestApp::builder()
        .env("PROJECTOR_BATCH_ROWS", "100")
        .env("PROJECTOR_FLUSH_MS", "1")
}

#[tokio::test]
async fn a_projector_killed_again_and_again_commits_no_row_that_is_not_stored_and_loses_none() {
    let mut run = Run::on(slow_to_store().await);
    for _ in 0..KILLS {
        run.round(async |app| app.projector.kill().await).await;
        run.assert_commits_follow_rows().await;
        run.app.projector.start().await;
    }
    run.assert_nothing_is_lost_or_counted_twice().await;
}

#[tokio::test]
async fn a_read_model_killed_amid_inserts_loses_nothing_and_counts_nothing_twice() {
    through_outages(|parts| {
        parts.clickhouse(|server| server.kill().and_then(|()| server.restart()))
    })
    .await;
}

#[tokio::test]
async fn a_log_killed_under_load_holds_what_it_acknowledged_and_all_of_it_is_stored_once() {
    through_outages(|parts| parts.kafka(|broker| broker.kill().and_then(|()| broker.restart())))
        .await;
}

/// Rounds of load, in each of which one of the servers dies and comes back.
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
        let (killed, asked) = if run.random.random() { (0, 1) } else { (1, 0) };
        run.round(async |_| others[killed].kill().await).await;
        run.assert_commits_follow_rows().await;
        // One that joins late may be asked to end before it is ready: that must be as clean.
        run.round(async |_| assert_eq!(others[asked].terminate().await, 0))
            .await;
        run.assert_commits_follow_rows().await;
    }
    run.assert_nothing_is_lost_or_counted_twice().await;
}

#[tokio::test]
async fn while_the_read_model_is_away_it_says_so_commits_nothing_and_then_catches_up_by_itself() {
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
    eventually("it says what it cannot do", async || {
        match app.projector.readiness().await {
            Err(reason) if reason.contains("inserting events") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    eventually("it takes no more than it may hold", async || {
        let log = app.projector.log();
        let paused = log.contains("partitions paused");
        if paused {
            Ok(())
        } else {
            Err("nothing is paused".to_owned())
        }
    })
    .await;
    let committed = app.topic.committed_offsets(&group).await;
    assert!(
        committed.is_empty(),
        "nothing is stored, and yet committed: {committed:?}"
    );
    let restarted = spawn_blocking(move || parts.clickhouse(ess_parts::ClickHouse::restart));
    restarted.await.unwrap().unwrap();
    app.wait_until_everything_is_projected().await;
    app.projector.wait_until_ready().await;
    assert_eq!(stored(&app).await, 2_000);
}
