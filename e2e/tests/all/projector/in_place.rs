//! The log consumed again into the active generation: no stored value changes, times included.

use std::collections::BTreeMap;

use ess_e2e::{TestApp, eventually};
use serde_json::Value;

use crate::rows::assert_rows_are_the_states;
use crate::traffic::{Traffic, seed, simulated};
use crate::whole_path::{EVERY_EVENT, all_pages, answers, assert_same};

const PLAYBACKS: u64 = 60;

#[tokio::test]
async fn a_log_consumed_again_into_the_live_tables_changes_nothing() {
    let (app, seed) = (TestApp::start().await, seed());
    let traffic = Traffic::new(simulated(seed, PLAYBACKS), seed);
    app.wait_until_projected(traffic.send(&app).await).await;
    let ids = traffic.playbacks();
    assert_eq!(app.projector.terminate().await, 0);
    let before = (
        answers(&app, &ids).await,
        all_pages(&app, EVERY_EVENT).await,
    );
    let tables = contents(&app).await;
    let ends = app.committed_offsets().await;

    // A merge would remove the duplicates before they are counted.
    app.execute("SYSTEM STOP MERGES events").await;
    app.topic.reset(&app.group().await).await;
    app.projector.start().await;
    eventually("the topic is consumed again", async || {
        let committed = app.committed_offsets().await;
        let again = committed == ends;
        again
            .then_some(())
            .ok_or_else(|| format!("{committed:?} of {ends:?}"))
    })
    .await;
    assert_eq!(app.projector.terminate().await, 0);

    let twice = app.select("SELECT count() AS rows FROM events").await;
    let once = tables["events"].len() as u64;
    assert!(
        twice[0]["rows"].as_u64() > Some(once),
        "nothing was stored again"
    );
    for (table, rows) in contents(&app).await {
        assert!(
            rows == tables[&table],
            "{table}: {:#?}",
            (&rows[..1], &tables[&table][..1])
        );
    }
    // A query-api with an empty cache.
    app.query_api.kill().await;
    app.query_api.start().await;
    assert_same(&before.0, &answers(&app, &ids).await, &[]);
    assert_eq!(all_pages(&app, EVERY_EVENT).await, before.1);
    assert_rows_are_the_states(&app).await;
}

/// The merged rows of every table of the generation.
async fn contents(app: &TestApp) -> BTreeMap<String, Vec<Value>> {
    let mut contents = BTreeMap::new();
    let events = "SELECT *, event_key FROM events FINAL ORDER BY ALL";
    contents.insert("events".to_owned(), app.select(events).await);
    for (table, key) in [
        ("event_identities", "event_id, source"),
        ("playbacks_state", "playback_id"),
        ("projection_progress", "partition"),
    ] {
        let merged = merged(app, table).await;
        let sql = format!("SELECT {key}, {merged} FROM {table} GROUP BY {key} ORDER BY {key}");
        contents.insert(table.to_owned(), app.select(&sql).await);
    }
    contents
}

/// The SQL of a table's merged states, without the time of the last store.
async fn merged(app: &TestApp, table: &str) -> String {
    let columns = "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND name != 'stored_at'";
    let columns = app
        .select(&format!("{columns} AND table = '{table}'"))
        .await;
    let columns = columns.iter().filter_map(|column| {
        let (name, state) = (column["name"].as_str()?, column["type"].as_str()?);
        let simple = state.strip_prefix("SimpleAggregateFunction(");
        let function = simple.or_else(|| state.strip_prefix("AggregateFunction("))?;
        let function = function.split(',').next()?;
        let merge = if simple.is_some() { "" } else { "Merge" };
        let value = format!("{function}{merge}({name})");
        // The order of a set's elements is not defined.
        let value = if function == "groupUniqArray" {
            format!("arraySort({value})")
        } else {
            value
        };
        // Some values are bytes, not UTF-8.
        Some(format!("hex(toString({value})) AS merged_{name}"))
    });
    columns.collect::<Vec<_>>().join(", ")
}
