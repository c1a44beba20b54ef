//! The projector as the log and the read model see it: what becomes of each record, what survives its end, and what it
//! says of itself meanwhile.

mod faults;
mod foreign;
mod in_place;
mod life;
mod overload;
mod records;
mod replay;

use std::collections::BTreeMap;

use ess_e2e::{Builder, TestApp};
use ess_schema::Position;

/// An ESS of which only the projector matters.
fn projector_alone() -> Builder {
    TestApp::builder().without_command_api().without_query_api()
}

/// A record as the predecessor wrote them.
fn untyped(id: &str) -> String {
    format!(r#"{{"id":"{id}","user_id":"u1","track_id":"t1"}}"#)
}

/// Appends `count` untyped records, named `<name>-<n>`, at once.
async fn append_many(app: &TestApp, name: &str, count: usize) -> Vec<Position> {
    let each = (0..count).map(|n| async move {
        let id = format!("{name}-{n}");
        let headers = &[];
        app.log
            .append(Some(id.as_bytes()), Some(untyped(&id).as_bytes()), headers)
            .await
    });
    futures::future::join_all(each).await
}

/// How many different events of the log's records are stored, and how many rows that are.
async fn stored(app: &TestApp) -> u64 {
    let rows = app
        .select("SELECT uniqExact(source, event_id) AS events FROM events")
        .await;
    rows[0]["events"].as_u64().unwrap()
}

/// Of each partition, how many of its first `end` offsets are stored as rows.
async fn stored_below(app: &TestApp, ends: &BTreeMap<u16, u64>) -> BTreeMap<u16, u64> {
    let mut counts = BTreeMap::new();
    for (partition, end) in ends {
        let sql = format!(
            "SELECT uniqExact(offset) AS offsets FROM events WHERE partition = {partition} AND offset < {end}"
        );
        let rows = app.select(&sql).await;
        counts.insert(*partition, rows[0]["offsets"].as_u64().unwrap());
    }
    counts
}

/// A counter of the projector, summed over its labels.
async fn counter(app: &TestApp, name: &str) -> f64 {
    let metrics = app
        .projector
        .http()
        .get("/metrics")
        .await
        .expect_status(200);
    let lines = metrics.text.lines().filter(|line| line.starts_with(name));
    lines
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum()
}
