//! A report in every media type. ClickHouse reads CSV and Parquet back, as a user's tools would.

use std::fmt::Write as _;

use ess_e2e::TestApp;
use ess_schema::rollup::Dimension;
use reqwest::Method;
use serde_json::{Value, json};

use super::DAY;
use crate::stats::dataset::dataset;
use crate::stats::question::{METRICS, Question, different_lists};

async fn body(app: &TestApp, url: &str, accept: &str) -> Vec<u8> {
    let request = app.queries().request(Method::GET, url);
    let response = request.header("accept", accept).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let content_type = response.headers()["content-type"].to_str().unwrap();
    assert!(content_type.starts_with(accept), "{content_type}");
    response.bytes().await.unwrap().to_vec()
}

/// The type of a column that holds these values.
fn kind(name: &str, rows: &[Value]) -> &'static str {
    let values = || {
        rows.iter()
            .map(|row| &row[name])
            .filter(|value| !value.is_null())
    };
    if name == "day" {
        "Nullable(DateTime64(3, \\'UTC\\'))"
    } else if values().all(Value::is_u64) {
        "Nullable(UInt64)"
    } else if values().all(Value::is_number) {
        "Nullable(Float64)"
    } else {
        "Nullable(String)"
    }
}

/// The rows that ClickHouse reads from a body.
async fn read_back(app: &TestApp, format: &str, rows: &[Value], body: &[u8]) -> Vec<Value> {
    let names = rows[0].as_object().unwrap().keys();
    let structure: Vec<_> = names
        .map(|name| format!("{name} {}", kind(name, rows)))
        .collect();
    let mut bytes = String::new();
    for byte in body {
        write!(bytes, "{byte:02x}").unwrap();
    }
    app.select(&format!(
        "SELECT * FROM format({format}, '{}', unhex('{bytes}')) SETTINGS date_time_output_format = 'iso', \
         date_time_input_format = 'best_effort', max_query_size = 10000000",
        structure.join(", ")
    ))
    .await
}

#[tokio::test]
async fn a_report_has_the_same_rows_in_every_media_type() {
    let dataset = dataset().await;
    for dimensions in [
        &[][..],
        &[Dimension::User, DAY],
        &[Dimension::Track],
        &[Dimension::Context],
    ] {
        let url = Question::of(&METRICS).by(dimensions).url("&limit=300");
        let list: Value =
            serde_json::from_slice(&body(&dataset.app, &url, "application/json").await).unwrap();
        let rows = list.as_array().unwrap();
        assert!(!rows.is_empty());
        let lines = body(&dataset.app, &url, "application/x-ndjson").await;
        let lines = String::from_utf8(lines).unwrap();
        let lines: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(json!(lines), list);
        for (media_type, format) in [
            ("text/csv", "CSVWithNames"),
            ("application/vnd.apache.parquet", "Parquet"),
        ] {
            let body = body(&dataset.app, &url, media_type).await;
            let found = read_back(&dataset.app, format, rows, &body).await;
            let differences = different_lists(rows, &found);
            assert!(differences.is_empty(), "{format}: {differences:#?}");
        }
    }
}
