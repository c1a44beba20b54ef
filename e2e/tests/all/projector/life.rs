//! How it starts beside parts that are not there yet, shares the log, and ends.

use ess_e2e::{eventually, unique};
use tokio::task::spawn_blocking;

use super::{append_many, counter, projector_alone, stored, stored_below};

#[tokio::test]
async fn told_to_stop_it_stores_and_commits_what_it_took_and_the_next_start_repeats_nothing() {
    let app = projector_alone().start().await;
    append_many(&app, "before", 5_000).await;
    assert_eq!(app.projector.terminate().await, 0);
    let log = app.projector.log();
    assert!(log.contains("the group is left"), "{log}");
    assert!(log.contains("within the deadline"), "{log}");
    let committed = app.committed_offsets().await;
    assert_eq!(stored_below(&app, &committed).await, committed);
    let taken: u64 = committed.values().sum();
    assert_eq!(stored(&app).await, taken, "rows beyond what is committed");
    app.projector.start().await;
    append_many(&app, "after", 10).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, 5_010);
    let consumed = counter(&app, "messaging_client_consumed_messages_total").await;
    assert_eq!(consumed as u64, 5_010 - taken);
}

#[tokio::test]
async fn told_to_stop_amid_a_backlog_it_repeats_nothing_that_it_took() {
    let app = projector_alone()
        .without_projector()
        .env("PROJECTOR_BATCH_ROWS", "10")
        .start()
        .await;
    append_many(&app, "backlog", 5_000).await;
    app.projector.start().await;
    eventually("it stores something", async || match stored(&app).await {
        0 => Err("no row".to_owned()),
        _ => Ok(()),
    })
    .await;
    assert_eq!(app.projector.terminate().await, 0);
    let committed = app.committed_offsets().await;
    let taken: u64 = committed.values().sum();
    assert_eq!(stored_below(&app, &committed).await, committed);
    assert_eq!(stored(&app).await, taken, "rows beyond what is committed");
    app.projector.start().await;
    app.wait_until_everything_is_projected().await;
    let consumed = counter(&app, "messaging_client_consumed_messages_total").await;
    assert_eq!(consumed as u64, 5_000 - taken);
    let rows = app.select("SELECT count() AS rows FROM events").await;
    assert_eq!(rows[0]["rows"].as_u64(), Some(5_000));
}

#[tokio::test]
async fn no_batch_holds_more_than_it_may_however_much_is_waiting() {
    let app = projector_alone()
        .without_projector()
        .env("PROJECTOR_BATCH_ROWS", "10")
        .start()
        .await;
    append_many(&app, "backlog", 2_000).await;
    app.projector.start().await;
    app.wait_until_everything_is_projected().await;
    let rows = counter(&app, "ess_projector_batch_rows_sum").await;
    let batches = counter(&app, "ess_projector_batch_rows_count").await;
    assert_eq!(rows as u64, 2_000);
    assert!(rows <= 10.0 * batches, "{rows} rows in {batches} batches");
}

#[tokio::test]
async fn it_waits_for_a_log_that_is_not_there_yet_and_says_so() {
    let app = projector_alone().without_projector().start().await;
    let topic = unique("late");
    let projector = app.projector_with(&[("KAFKA_TOPIC", &topic)]);
    projector.spawn();
    eventually(
        "it says that the topic is missing",
        async || match projector.readiness().await {
            Err(reason) if reason.contains(&format!("topic {topic} does not exist")) => Ok(()),
            other => Err(format!("{other:?}")),
        },
    )
    .await;
    let mut init = projector.command();
    init.arg("init");
    let output = spawn_blocking(move || init.output())
        .await
        .unwrap()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains(&format!("topic {topic} with 4 partitions")),
        "{told}"
    );
    projector.wait_until_ready().await;
    assert_eq!(projector.terminate().await, 0);
}

#[tokio::test]
async fn a_second_projector_takes_its_share_and_gives_it_back() {
    let app = projector_alone().start().await;
    let first = append_many(&app, "alone", 1_000);
    let second = app.another_projector();
    let (_, ()) = tokio::join!(first, second.start());
    append_many(&app, "together", 1_000).await;
    app.wait_until_everything_is_projected().await;
    app.projector.wait_until_ready().await;
    let leaving = async { assert_eq!(second.terminate().await, 0) };
    tokio::join!(append_many(&app, "meanwhile", 1_000), leaving);
    append_many(&app, "again", 1_000).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, 4_000);
    assert!(app.dead_letters.records().await.is_empty());
}

#[tokio::test]
async fn an_emptied_read_model_is_filled_again_from_the_log() {
    let app = projector_alone().start().await;
    append_many(&app, "kept", 500).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(app.projector.terminate().await, 0);
    for database in [app.database().await, app.control_database().to_owned()] {
        let drop = format!("DROP DATABASE {database} SYNC");
        app.clickhouse().query(&drop).execute().await.unwrap();
    }
    app.projector.start().await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, 500);
}
