//! The projector through its binary: the result for each record, faults and restarts, generations, and what it reports meanwhile.

mod conflicts;
mod faults;
mod foreign;
mod in_place;
mod kills;
mod life;
mod locks;
mod migrations;
mod next_version;
mod overload;
mod promotion;
mod records;
mod replay;
mod truncated;

use std::{
    collections::BTreeMap,
    process::{Output, Stdio},
};

use ess_e2e::{Builder, Service, TestApp};
use ess_schema::Position;
use tokio::task::spawn_blocking;

/// An ESS with the projector only.
fn projector_alone() -> Builder {
    TestApp::builder().without_command_api().without_query_api()
}

/// A record as the predecessor wrote it.
fn untyped(id: &str) -> String {
    format!(r#"{{"id":"{id}","user_id":"u1","track_id":"t1"}}"#)
}

/// Appends `count` untyped records with the ids `<name>-<n>`, concurrently.
async fn append_many(app: &TestApp, name: &str, count: usize) -> Vec<Position> {
    let each = (0..count).map(|n| async move {
        let id = format!("{name}-{n}");
        let headers = &[];
        app.topic
            .append(Some(id.as_bytes()), Some(untyped(&id).as_bytes()), headers)
            .await
    });
    futures::future::join_all(each).await
}

/// The number of distinct events that are stored.
async fn stored(app: &TestApp) -> u64 {
    let rows = app
        .select("SELECT uniqExact(source, event_id) AS events FROM events")
        .await;
    rows[0]["events"].as_u64().unwrap()
}

/// By partition: how many of the offsets below `end` are stored as rows.
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

/// The value of a metric of the projector, summed over its labels.
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

/// Runs a command of the projector to its end, for example `projector replay --discard`.
async fn command(projector: &Service, arguments: &[&str]) -> Output {
    let mut command = projector.command();
    command.args(arguments).stdin(Stdio::null());
    spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap()
}

/// The standard output and standard error.
fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(err)
}
