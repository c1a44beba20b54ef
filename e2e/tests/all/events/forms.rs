//! A list of events in every media type. ClickHouse reads CSV and Parquet back, as a user's tools would.

use std::fmt::Write as _;

use ess_e2e::{TestApp, unique};
use ess_schema::Event;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::listed::run;
use crate::stored::{Partition, encoded, event, reader};

const CSV: &str = "text/csv; charset=utf-8";
const PARQUET: &str = "application/vnd.apache.parquet";

const COLUMNS: [(&str, &str); 16] = [
    ("id", "Nullable(String)"),
    ("type", "Nullable(String)"),
    ("playback_id", "Nullable(String)"),
    ("user_id", "Nullable(String)"),
    ("track_id", "Nullable(String)"),
    ("occurred_at", "Nullable(DateTime64(3, 'UTC'))"),
    ("ingest_time", "Nullable(DateTime64(3, 'UTC'))"),
    ("store_time", "Nullable(DateTime64(3, 'UTC'))"),
    ("test_id", "Nullable(String)"),
    ("source", "Nullable(String)"),
    ("schemaversion", "Nullable(Int64)"),
    ("position", "Nullable(String)"),
    ("data", "Nullable(String)"),
    ("datacontenttype", "Nullable(String)"),
    ("data_base64", "Nullable(String)"),
    ("extensions", "Nullable(String)"),
];

/// Events with every field and with almost none.
fn events(test_id: &str) -> Vec<Event> {
    let mut full = event(&json!({
        "type": "ReportProgress", "event_id": unique("'\\`"), "test_id": test_id, "playback_id": "p,\"1\"",
        "user_id": "=1+1", "track_id": "曲", "from_ms": 0, "to_ms": 10_000, "source": "https://x.example/?a=1,2"
    }));
    full.content.json =
        Some("{\"big\": 12345678901234567890.10,\n\"text\": \"a\\nb, \\\"c\\\"\"}".to_owned());
    full.extensions = vec![("traceparent".to_owned(), "\"00-ab-cd-01\"".to_owned())];
    let mut binary =
        event(&json!({"type": "RecordEvent", "event_type": "Cover", "test_id": test_id}));
    binary.content.json = None;
    binary.content.base64 = Some("AAEC/w==".to_owned());
    binary.content.datacontenttype = Some("image/png".to_owned());
    let mut text = event(&json!({"type": "RecordEvent", "event_type": "Said", "test_id": test_id}));
    text.content.json = Some("\"no object\"".to_owned());
    [run(test_id, 3), vec![full, binary, text]].concat()
}

/// The content type and body of an answer to this `Accept`.
async fn body(app: &TestApp, url: &str, accept: &str) -> (String, Vec<u8>) {
    let request = app.queries().request(Method::GET, url);
    let response = request.header("accept", accept).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["vary"], "Accept");
    let content_type = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    (content_type, response.bytes().await.unwrap().to_vec())
}

fn literal(bytes: &[u8]) -> String {
    let mut literal = "unhex('".to_owned();
    for byte in bytes {
        write!(literal, "{byte:02x}").unwrap();
    }
    literal + "')"
}

/// The columns as a ClickHouse structure, escaped for a string literal.
fn structure() -> String {
    let structure = COLUMNS.map(|(name, kind)| format!("{name} {kind}"));
    structure.join(", ").replace('\'', "\\'")
}

/// The rows that ClickHouse reads from a body.
async fn read_back(app: &TestApp, format: &str, body: &[u8]) -> Vec<Value> {
    let structure = structure();
    app.select(&format!(
        "SELECT * FROM format({format}, '{structure}', {}) SETTINGS date_time_output_format = 'iso', date_time_input_format = 'best_effort'",
        literal(body)
    ))
    .await
}

/// An event of a JSON list as a row with all columns.
fn row(event: &Value) -> Value {
    let row: Map<String, Value> = COLUMNS
        .iter()
        .map(|(name, _)| {
            (
                (*name).to_owned(),
                event.get(*name).cloned().unwrap_or_default(),
            )
        })
        .collect();
    Value::Object(row)
}

/// A row that was read back, with its embedded JSON parsed.
fn with_json(mut row: Value) -> Value {
    for name in ["data", "extensions"] {
        if let Some(text) = row[name].as_str() {
            row[name] = serde_json::from_str(text).unwrap();
        }
    }
    row
}

#[tokio::test]
async fn a_list_has_the_same_events_in_every_media_type() {
    let app = reader().await;
    let (partition, test_id) = (Partition::of(app).await, unique("run"));
    let events = events(&test_id);
    partition.store(&events).await;
    let by_id = format!("/events/{}", encoded(events[3].id.as_str()));
    for (url, count) in [
        (format!("/events?test_id={test_id}"), events.len()),
        (by_id, 1),
    ] {
        let (content_type, list) = body(app, &url, "application/json").await;
        assert_eq!(content_type, "application/json");
        let list: Vec<Value> = serde_json::from_slice(&list).unwrap();
        let expected: Vec<Value> = list.iter().map(row).collect();
        assert_eq!(expected.len(), count);
        for (accept, expected_type, format) in [
            ("text/csv", CSV, "CSVWithNames"),
            (PARQUET, PARQUET, "Parquet"),
        ] {
            let (content_type, body) = body(app, &url, accept).await;
            assert_eq!(content_type, expected_type);
            let rows: Vec<_> = read_back(app, format, &body)
                .await
                .into_iter()
                .map(with_json)
                .collect();
            assert_eq!(rows, expected, "{format}");
        }
    }
}

#[tokio::test]
async fn parquet_has_column_types_even_without_rows() {
    let app = reader().await;
    let url = format!("/events?test_id={}", unique("unknown"));
    let (_, body) = body(app, &url, PARQUET).await;
    for (setting, json) in [
        ("", "Nullable(JSON)"),
        (
            "SETTINGS input_format_parquet_enable_json_parsing = 0",
            "Nullable(String)",
        ),
    ] {
        let described = app
            .select(&format!(
                "DESCRIBE format(Parquet, {}) {setting}",
                literal(&body)
            ))
            .await;
        let kinds: Vec<_> = described
            .iter()
            .map(|column| {
                (
                    column["name"].as_str().unwrap(),
                    column["type"].as_str().unwrap(),
                )
            })
            .collect();
        let expected = COLUMNS.map(|(name, kind)| {
            (
                name,
                if ["data", "extensions"].contains(&name) {
                    json
                } else {
                    kind
                },
            )
        });
        assert_eq!(kinds, expected);
    }
    // Inserted as a file, because the function format() needs rows.
    let sql = format!(
        "INSERT INTO FUNCTION null('{}') FORMAT Parquet",
        structure()
    );
    let mut insert = app.clickhouse().insert_formatted_with(sql);
    insert.send(body.into()).await.unwrap();
    insert.end().await.unwrap();
}

#[tokio::test]
async fn each_media_type_of_a_page_has_its_own_entity_tag_and_the_same_next_page() {
    let app = reader().await;
    let (partition, test_id) = (Partition::of(app).await, unique("run"));
    partition.store(&run(&test_id, 3)).await;
    let url = format!("/events?test_id={test_id}&limit=2");
    let mut tags = Vec::new();
    let mut pages = Vec::new();
    for accept in [
        "application/json",
        "application/x-ndjson",
        "text/csv",
        "application/vnd.apache.parquet",
    ] {
        let get = |tag: &str| {
            let request = app.queries().request(Method::GET, &url);
            app.queries().send(
                request
                    .header("accept", accept)
                    .header("if-none-match", tag),
            )
        };
        let first = get("\"none\"").await.expect_status(200);
        let tag = first.header("etag").unwrap().to_owned();
        assert_eq!(get(&tag).await.status, 304, "{accept}");
        pages.push(first.next_page().unwrap());
        tags.push(tag);
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "{pages:?}");
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4);
}

#[tokio::test]
async fn an_unknown_media_type_is_406_with_the_available_ones() {
    let app = reader().await;
    for path in ["/events", "/events/e1"] {
        for accept in ["text/html", "application/json;q=0", "image/*, text/csv;q=0"] {
            let request = app
                .queries()
                .request(Method::GET, path)
                .header("accept", accept);
            let problem = app.queries().send(request).await.expect_status(406).json();
            assert_eq!(
                problem["detail"],
                "the available media types are application/json, application/x-ndjson, text/csv, application/vnd.apache.parquet"
            );
        }
    }
}
