//! Start before its servers are ready, shared partitions, and stop.

use ess_e2e::{eventually, unique};
use tokio::task::spawn_blocking;

use super::{append_many, counter, projector_alone, stored, stored_below};

#[tokio::test]
async fn a_stopped_projector_stores_and_commits_what_it_consumed_and_the_next_start_consumes_no_record_twice()
 {
    let app = projector_alone().start().await;
    append_many(&app, "before", 5_000).await;
    assert_eq!(app.projector.terminate().await, 0);
    let log = app.projector.log();
    assert!(log.contains("the group is left"), "{log}");
    assert!(log.contains("within the deadline"), "{log}");
    let committed = app.committed_offsets().await;
    assert_eq!(stored_below(&app, &committed).await, committed);
    let consumed_before: u64 = committed.values().sum();
    assert_eq!(
        stored(&app).await,
        consumed_before,
        "rows above the committed offsets"
    );
    app.projector.start().await;
    append_many(&app, "after", 10).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, 5_010);
    let consumed = counter(&app, "messaging_client_consumed_messages_total").await;
    assert_eq!(consumed as u64, 5_010 - consumed_before);
}

#[tokio::test]
async fn a_projector_stopped_during_a_backlog_consumes_no_record_twice() {
    let app = projector_alone()
        .without_projector()
        .env("PROJECTOR_BATCH_ROWS", "10")
        .start()
        .await;
    append_many(&app, "backlog", 5_000).await;
    app.projector.start().await;
    eventually("a row is stored", async || match stored(&app).await {
        0 => Err("no row".to_owned()),
        _ => Ok(()),
    })
    .await;
    assert_eq!(app.projector.terminate().await, 0);
    let committed = app.committed_offsets().await;
    let consumed_before: u64 = committed.values().sum();
    assert_eq!(stored_below(&app, &committed).await, committed);
    assert_eq!(
        stored(&app).await,
        consumed_before,
        "rows above the committed offsets"
    );
    app.projector.start().await;
    app.wait_until_everything_is_projected().await;
    let consumed = counter(&app, "messaging_client_consumed_messages_total").await;
    assert_eq!(consumed as u64, 5_000 - consumed_before);
    let rows = app.select("SELECT count() AS rows FROM events").await;
    assert_eq!(rows[0]["rows"].as_u64(), Some(5_000));
}

#[tokio::test]
async fn no_batch_exceeds_its_limit_however_large_the_backlog() {
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
async fn a_projector_waits_for_a_missing_topic_and_reports_it() {
    let app = projector_alone().without_projector().start().await;
    let topic = unique("late");
    let projector = app.projector_with(&[("KAFKA_TOPIC", &topic)]);
    projector.spawn();
    eventually("the missing topic is reported", async || {
        match projector.readiness().await {
            Err(reason) if reason.contains(&format!("topic {topic} does not exist")) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let mut init = projector.command();
    init.arg("init");
    let output = spawn_blocking(move || init.output())
        .await
        .unwrap()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let output = String::from_utf8(output.stdout).unwrap();
    let topic = format!("topic {topic} with 4 partitions");
    assert!(output.contains(&topic), "{output}");
    projector.wait_until_ready().await;
    assert_eq!(projector.terminate().await, 0);
}

#[tokio::test]
async fn a_second_projector_gets_partitions_and_returns_them() {
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
    append_many(&app, "before", 500).await;
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
