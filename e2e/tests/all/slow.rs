//! Slow queries: replaces a table by a view that delays its rows, and reads from ClickHouse which queries run and ran. The test must
//! have a read model of its own.

use ess_e2e::{TestApp, eventually};

/// Delays every query of `table` by this many steps of 50 ms; a query can be canceled between two steps. Meanwhile, nothing can be
/// stored in the table.
pub(crate) async fn slow_down(app: &TestApp, table: &str, steps: u32) {
    app.execute(&format!("RENAME TABLE {table} TO {table}_stored"))
        .await;
    // One block per step: readonly queries cannot set the block size.
    app.execute(&format!(
        "CREATE TABLE {table}_steps ENGINE = Memory AS SELECT number FROM numbers({steps})
         SETTINGS max_block_size = 1, min_insert_block_size_rows = 1, min_insert_block_size_bytes = 1"
    ))
    .await;
    app.execute(&format!(
        "CREATE VIEW {table} AS SELECT * FROM {table}_stored
         WHERE (SELECT count() FROM {table}_steps WHERE sleepEachRow(0.05) = 0) > 0"
    ))
    .await;
}

/// Undoes [`slow_down`].
pub(crate) async fn speed_up(app: &TestApp, table: &str) {
    app.execute(&format!("DROP VIEW {table}")).await;
    app.execute(&format!("DROP TABLE {table}_steps")).await;
    app.execute(&format!("RENAME TABLE {table}_stored TO {table}"))
        .await;
}

/// The ids of the running queries with this name.
pub(crate) async fn running(app: &TestApp, name: &str) -> Vec<String> {
    let sql = "SELECT query_id FROM system.processes WHERE current_database = ? AND Settings['log_comment'] = ?";
    let query = app.clickhouse().query(sql).bind(app.database().await);
    query.bind(name).fetch_all().await.unwrap()
}

/// Waits until this many queries with this name run. Returns their ids.
pub(crate) async fn until_running(app: &TestApp, name: &str, queries: usize) -> Vec<String> {
    eventually(&format!("{queries} queries {name} run"), async || {
        let running = running(app, name).await;
        if running.len() == queries {
            Ok(running)
        } else {
            Err(format!("{running:?}"))
        }
    })
    .await
}

/// The number of queries with this name that ClickHouse has received, with any result.
pub(crate) async fn query_count(app: &TestApp, name: &str) -> u64 {
    let server = app.clickhouse();
    server.query("SYSTEM FLUSH LOGS").execute().await.unwrap();
    let sql = "SELECT count() FROM system.query_log
        WHERE current_database = ? AND log_comment = ? AND type != 'QueryFinish' AND is_initial_query";
    let query = server.query(sql).bind(app.database().await);
    query.bind(name).fetch_one().await.unwrap()
}

/// The value of a metric of the query-api; 0 if it has no value yet.
pub(crate) async fn metric(app: &TestApp, name_and_labels: &str) -> f64 {
    let metrics = app.get("/metrics").await.expect_status(200).text;
    let found = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name_and_labels)?.strip_prefix(' '));
    found.map_or(0.0, |value| value.parse().unwrap())
}
