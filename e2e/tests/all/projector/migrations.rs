//! Schema changes: applied once whoever starts beside whom, by one process at a time, and never by one that does not know
//! what is there.

use std::sync::atomic::{AtomicBool, Ordering};

use clickhouse::{RowOwned, RowRead};
use ess_e2e::{TestApp, eventually};
use futures::future::join_all;

use super::{append_many, command, projector_alone, stored, told};

/// A holder of a lock that gives no sign of itself.
const HOLDER: &str = "process 1 on nowhere";

#[tokio::test]
async fn projectors_that_start_at_once_on_an_empty_server_apply_each_change_once() {
    let app = emptied().await;
    let starters = [
        app.another_projector(),
        app.another_projector(),
        app.another_projector(),
    ];

    let outputs = join_all(starters.iter().map(|starter| command(starter, &["init"]))).await;

    for output in &outputs {
        assert!(output.status.success(), "{}", told(output));
    }
    let control = app.control_database();
    for database in [control.to_owned(), format!("{control}_g1")] {
        let numbers = format!("SELECT number FROM {database}.schema_migrations ORDER BY number");
        let numbers: Vec<u32> = ask(&app, &numbers).await;
        let once: Vec<u32> = (1..).take(numbers.len()).collect();
        assert!(
            !numbers.is_empty() && numbers == once,
            "{database}: {numbers:?}"
        );
    }
    let marks: Vec<u32> = ask(
        &app,
        &format!("SELECT generation FROM {control}.generations"),
    )
    .await;
    assert_eq!(marks, [1]);
}

#[tokio::test]
async fn a_lock_that_a_killed_starter_left_is_told_and_broken_after_its_lease() {
    let app = emptied().await;
    leave_lock(&app, "migrations").await;

    let output = command(&app.projector, &["init"]).await;

    assert!(output.status.success(), "{}", told(&output));
    for said in [
        format!("lock migrations is held by {HOLDER}: waiting"),
        format!("lock migrations is broken: {HOLDER} gave no sign"),
    ] {
        let times = told(&output).matches(&said).count();
        assert_eq!(times, 1, "{said}: {}", told(&output));
    }
    assert_eq!(app.generation().await, 1);
    assert_eq!(locks(&app).await, [""; 0], "the lock is not freed");
}

#[tokio::test]
async fn a_replay_gives_way_to_one_that_is_at_work_but_not_to_a_killed_one() {
    let app = projector_alone().start().await;
    append_many(&app, "kept", 100).await;
    leave_lock(&app, "rebuild").await;
    let control = app.clickhouse().with_database(app.control_database());
    let second = command(&app.projector, &["replay"]);
    let done = AtomicBool::new(false);
    let working = async {
        eventually("the second replay has ended", async || {
            let sign = format!("ALTER TABLE lock_rebuild MODIFY COMMENT '{HOLDER}'");
            control.query(&sign).execute().await.unwrap();
            let ended = done.load(Ordering::Relaxed);
            ended.then_some(()).ok_or_else(|| "it waits".to_owned())
        })
        .await;
    };
    let second = async {
        let output = second.await;
        done.store(true, Ordering::Relaxed);
        output
    };

    let (refused, ()) = tokio::join!(second, working);

    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    let why = format!("lock rebuild is held by {HOLDER}, which is at work");
    assert!(told(&refused).contains(&why), "{}", told(&refused));
    assert_eq!(app.generation().await, 1);
    let after_its_end = command(&app.projector, &["replay"]).await;
    assert!(after_its_end.status.success(), "{}", told(&after_its_end));
    assert_eq!(app.generation().await, 2);
}

#[tokio::test]
async fn an_applied_change_that_is_not_the_one_known_stops_every_start() {
    let app = projector_alone().start().await;
    assert_eq!(app.projector.terminate().await, 0);
    let edit = "ALTER TABLE schema_migrations UPDATE checksum = 'another' WHERE number = 2 SETTINGS mutations_sync = 1";
    app.execute(edit).await;
    let why = format!(
        "database {}: schema change 2 (0002_event_identities) is not what was applied there",
        app.database().await
    );
    refuses(&app, &why).await;
}

#[tokio::test]
async fn a_database_newer_than_the_binary_stops_every_start() {
    let app = projector_alone().start().await;
    append_many(&app, "kept", 10).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(app.projector.terminate().await, 0);
    let newer =
        "INSERT INTO schema_migrations (number, name, checksum) VALUES (99, '0099_later', 'x')";
    app.execute(newer).await;
    let why = format!("database {} has schema change 99", app.database().await);
    refuses(&app, &why).await;
    assert_eq!(stored(&app).await, 10);
}

/// Neither `init` nor `run` nor `replay` goes on: each says why, and ends.
async fn refuses(app: &TestApp, why: &str) {
    for name in ["init", "replay", "run"] {
        let output = command(&app.projector, &[name]).await;
        assert!(!output.status.success(), "{name}: {}", told(&output));
        assert!(told(&output).contains(why), "{name}: {}", told(&output));
    }
}

/// An ESS whose databases are gone.
async fn emptied() -> TestApp {
    let app = projector_alone().without_projector().start().await;
    for database in [app.database().await, app.control_database().to_owned()] {
        let drop = format!("DROP DATABASE {database} SYNC");
        app.clickhouse().query(&drop).execute().await.unwrap();
    }
    app
}

/// What a starter leaves that was killed while it held the lock.
async fn leave_lock(app: &TestApp, name: &str) {
    let database = app.control_database();
    for statement in [
        format!("CREATE DATABASE IF NOT EXISTS {database}"),
        format!(
            "CREATE TABLE {database}.lock_{name} (nothing UInt8) ENGINE = Null COMMENT '{HOLDER}'"
        ),
    ] {
        app.clickhouse().query(&statement).execute().await.unwrap();
    }
}

/// The locks that are held.
async fn locks(app: &TestApp) -> Vec<String> {
    let database = app.control_database();
    let locks = format!(
        "SELECT name FROM system.tables WHERE database = '{database}' AND startsWith(name, 'lock_')"
    );
    ask(app, &locks).await
}

async fn ask<T: RowOwned + RowRead>(app: &TestApp, sql: &str) -> Vec<T> {
    app.clickhouse().query(sql).fetch_all().await.unwrap()
}
