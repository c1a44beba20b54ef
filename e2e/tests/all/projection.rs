//! GET /projection, and `?after=`.

mod after;

use ess_e2e::{eventually, unique};
use serde_json::{Value, json};

use crate::stored::{Partition, encoded, event, reader};

#[tokio::test]
async fn it_reports_the_progress_of_each_partition() {
    let app = reader().await;
    let partition = Partition::of(app).await;
    let number = partition.next().partition;
    let events: Vec<_> = (0..3)
        .map(|_| {
            event(&json!({"type": "RecordEvent", "event_type": "Note", "user_id": unique("u")}))
        })
        .collect();
    partition.store(&events).await;
    partition.record_progress().await;
    let (projection, of_partition): (Value, Value) =
        eventually("the progress is visible", async || {
            let projection = app.get("/projection").await.expect_status(200).json();
            let partitions = projection["partitions"].as_array().unwrap();
            let found = partitions
                .iter()
                .find(|known| known["partition"] == number)
                .cloned();
            found
                .map(|found| (projection.clone(), found))
                .ok_or_else(|| projection.to_string())
        })
        .await;
    assert_eq!(of_partition["next_offset"], 3);
    assert!(of_partition["staleness_ms"].as_i64().unwrap() >= 0);
    assert!(of_partition["stored_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(projection["generation"], 1);
    let partitions = projection["partitions"].as_array().unwrap();
    let sum: u64 = partitions
        .iter()
        .map(|known| known["next_offset"].as_u64().unwrap())
        .sum();
    assert_eq!(projection["records"], sum);
    let newest = partitions
        .iter()
        .map(|known| known["last_ingest_time"].as_str().unwrap())
        .max();
    assert_eq!(projection["last_ingest_time"].as_str(), newest);
}

#[tokio::test]
async fn it_has_no_parameters_and_one_method() {
    let app = reader().await;
    let problem = app
        .get("/projection?after=7:1")
        .await
        .expect_status(422)
        .json();
    assert_eq!(problem["errors"][0]["pointer"], "?after");
    let refused = app
        .queries()
        .post("/projection/", "application/json", "{}")
        .await
        .expect_status(405);
    assert_eq!(refused.header("allow"), Some("GET, HEAD"));
    assert_eq!(refused.json()["type"], "/problems/method-not-allowed");
    assert_eq!(app.get("/projections").await.status, 404);
}

#[tokio::test]
async fn every_parameter_is_refused_by_name() {
    let app = reader().await;
    for name in [
        "'",
        "\\",
        "\0",
        "%27",
        "1=1",
        "x' OR 1=1 --",
        "after",
        "{generation:UInt32}",
    ] {
        let url = format!(
            "/projection?{}={}",
            encoded(name),
            encoded("';DROP TABLE events;--")
        );
        let problem = app.get(&url).await.expect_status(422).json();
        let error = &problem["errors"][0];
        assert_eq!(error["pointer"], format!("?{name}"), "{problem}");
        assert_eq!(error["allowed"], "none", "{problem}");
    }
    let long = format!("/projection?{}=1", "x".repeat(5_000));
    assert_eq!(app.get(&long).await.status, 422);
    assert_eq!(app.get("/projection").await.status, 200);
}
