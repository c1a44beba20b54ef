//! Questions that last, and what of them ClickHouse knows: what runs now and what was asked at all. A table is slow when a view in
//! its place takes so long before it gives the table's rows; the read model must be the test's own.

use ess_e2e::{TestApp, eventually};

/// Makes every query of `table` last for so many steps of 50 ms, between which it can be cancelled. Nothing can be stored
/// meanwhile.
pub(crate) async fn slow_down(app: &TestApp, table: &str, steps: u32) {
    app.execute(&format!("RENAME TABLE {table} TO {table}_stored"))
        .await;
    // A block a step: who only reads may not set the size of blocks.
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

/// Ends what [`slow_down`] began.
pub(crate) async fn speed_up(app: &TestApp, table: &str) {
    app.execute(&format!("DROP VIEW {table}")).await;
    app.execute(&format!("DROP TABLE {table}_steps")).await;
    app.execute(&format!("RENAME TABLE {table}_stored TO {table}"))
        .await;
}

/// The ids of the queries of this name that run now.
pub(crate) async fn running(app: &TestApp, name: &str) -> Vec<String> {
    let sql = "SELECT query_id FROM system.processes WHERE current_database = ? AND Settings['log_comment'] = ?";
    let query = app.clickhouse().query(sql).bind(app.database().await);
    query.bind(name).fetch_all().await.unwrap()
}

/// Waits until so many queries of this name run.
pub(crate) async fn until_running(app: &TestApp, name: &str, queries: usize) -> Vec<String> {
    eventually(&format!("{queries} {name} run"), async || {
        let running = running(app, name).await;
        if running.len() == queries {
            Ok(running)
        } else {
            Err(format!("{running:?}"))
        }
    })
    .await
}

/// How many queries of this name the read model was asked, however they ended.
pub(crate) async fn asked(app: &TestApp, name: &str) -> u64 {
    let server = app.clickhouse();
    server.query("SYSTEM FLUSH LOGS").execute().await.unwrap();
    let sql = "SELECT count() FROM system.query_log
        WHERE current_database = ? AND log_comment = ? AND type != 'QueryFinish' AND is_initial_query";
    let query = server.query(sql).bind(app.database().await);
    query.bind(name).fetch_one().await.unwrap()
}

/// The value of one of the query-api's metrics, 0 before its first.
pub(crate) async fn metric(app: &TestApp, name_and_labels: &str) -> f64 {
    let metrics = app.get("/metrics").await.expect_status(200).text;
    let found = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name_and_labels)?.strip_prefix(' '));
    found.map_or(0.0, |value| value.parse().unwrap())
}
