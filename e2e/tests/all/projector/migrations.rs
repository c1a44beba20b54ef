//! Migrations: applied once when several projectors start at the same time, and refused on an unknown state of the database.

use clickhouse::{RowOwned, RowRead};
use ess_e2e::TestApp;
use futures::future::join_all;

use super::{append_many, command, projector_alone, stored, text};

#[tokio::test]
async fn projectors_that_start_together_on_an_empty_server_apply_each_migration_once() {
    let app = emptied().await;
    let starters = [
        app.another_projector(),
        app.another_projector(),
        app.another_projector(),
    ];

    let outputs = join_all(starters.iter().map(|starter| command(starter, &["init"]))).await;

    for output in &outputs {
        assert!(output.status.success(), "{}", text(output));
    }
    let control = app.control_database();
    for database in [control.to_owned(), format!("{control}_g1")] {
        let numbers = format!("SELECT number FROM {database}.schema_migrations ORDER BY number");
        let numbers: Vec<u32> = select_all(&app, &numbers).await;
        let once: Vec<u32> = (1..).take(numbers.len()).collect();
        assert!(
            !numbers.is_empty() && numbers == once,
            "{database}: {numbers:?}"
        );
    }
    let generations: Vec<u32> = select_all(
        &app,
        &format!("SELECT generation FROM {control}.generations"),
    )
    .await;
    assert_eq!(generations, [1]);
}

#[tokio::test]
async fn an_edited_migration_stops_every_start() {
    let app = projector_alone().start().await;
    assert_eq!(app.projector.terminate().await, 0);
    let edit = "ALTER TABLE schema_migrations UPDATE checksum = 'another' WHERE number = 2 SETTINGS mutations_sync = 1";
    app.execute(edit).await;
    let why = format!(
        "database {}: migration 2 (0002_event_identities) differs from the one that was applied",
        app.database().await
    );
    refuses(&app, &why).await;
}

#[tokio::test]
async fn a_database_newer_than_the_binary_stops_every_start() {
    let app = projector_alone().start().await;
    append_many(&app, "before", 10).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(app.projector.terminate().await, 0);
    let newer =
        "INSERT INTO schema_migrations (number, name, checksum) VALUES (99, '0099_later', 'x')";
    app.execute(newer).await;
    let why = format!("database {} has migration 99", app.database().await);
    refuses(&app, &why).await;
    assert_eq!(stored(&app).await, 10);
}

/// `init`, `run` and `replay` exit with the reason.
async fn refuses(app: &TestApp, why: &str) {
    for name in ["init", "replay", "run"] {
        let output = command(&app.projector, &[name]).await;
        assert!(!output.status.success(), "{name}: {}", text(&output));
        assert!(text(&output).contains(why), "{name}: {}", text(&output));
    }
}

/// An ESS without databases.
pub(super) async fn emptied() -> TestApp {
    let app = projector_alone().without_projector().start().await;
    for database in [app.database().await, app.control_database().to_owned()] {
        let drop = format!("DROP DATABASE {database} SYNC");
        app.clickhouse().query(&drop).execute().await.unwrap();
    }
    app
}

/// The rows of a query.
pub(super) async fn select_all<T: RowOwned + RowRead>(app: &TestApp, sql: &str) -> Vec<T> {
    app.clickhouse().query(sql).fetch_all().await.unwrap()
}
