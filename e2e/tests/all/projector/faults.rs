//! Ends without warning, its own and the read model's.

use std::sync::Arc;

use ess_e2e::{Parts, eventually};
use tokio::task::spawn_blocking;

use super::{append_many, projector_alone, stored, stored_below};

const KILLS: usize = 5;
const EACH: usize = 2_000;

#[tokio::test]
async fn a_projector_killed_again_and_again_commits_no_row_that_is_not_stored_and_loses_none() {
    let app = projector_alone()
        .env("PROJECTOR_BATCH_ROWS", "100")
        .env("PROJECTOR_FLUSH_MS", "1")
        .start()
        .await;
    let mut appended = 0;
    for kill in 0..KILLS {
        let name = format!("run-{kill}");
        let appending = append_many(&app, &name, EACH);
        let killing = async {
            let before = stored(&app).await;
            eventually("it stores something", async || {
                let now = stored(&app).await;
                if now > before {
                    Ok(())
                } else {
                    Err(format!("{now} rows"))
                }
            })
            .await;
            app.projector.kill().await;
        };
        tokio::join!(appending, killing);
        appended += EACH as u64;
        let committed = app.committed_offsets().await;
        assert_eq!(
            stored_below(&app, &committed).await,
            committed,
            "after kill {kill}"
        );
        app.projector.start().await;
    }
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, appended);
    let once = app.select("SELECT count() AS rows FROM events FINAL").await;
    assert_eq!(once[0]["rows"].as_u64(), Some(appended));
    assert!(app.dead_letters.records().await.is_empty());
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
    let committed = app.log.committed_offsets(&group).await;
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
