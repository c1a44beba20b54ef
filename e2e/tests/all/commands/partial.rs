//! A list of the maximum size with an invalid item: the response has the outcome of each item, in the order of the request.

use std::collections::BTreeSet;

use super::*;

const ITEMS: usize = 10_000;
const INVALID: usize = 4_711;

/// The maximum number of items, all valid except one, which breaks three rules.
fn list_with_one_invalid_item() -> String {
    let mut items: Vec<Value> = (0..ITEMS).map(|n| progress(&format!("e{n}"))).collect();
    items[INVALID] = json!({
        "type": "ReportProgress", "event_id": "invalid", "playback_id": "p", "user_id": "",
        "from_ms": 2, "to_ms": "1",
    });
    Value::from(items).to_string()
}

/// The violations of the invalid item.
const POINTERS: [&str; 3] = ["/4711/user_id", "/4711/track_id", "/4711/to_ms"];

fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap().iter();
    errors.map(|e| e["pointer"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn one_invalid_item_of_ten_thousand_has_all_its_violations_and_the_others_are_appended() {
    let app = command_api_alone().start().await;
    let answer = app
        .post(
            "/commands",
            "application/json",
            list_with_one_invalid_item(),
        )
        .await
        .expect_status(207);
    let response = answer.json();
    assert_eq!(
        (&response["appended"], &response["refused"]),
        (&json!(ITEMS - 1), &json!(1))
    );
    let items = response["items"].as_array().unwrap();
    assert_eq!(items.len(), ITEMS);
    for (n, item) in items.iter().enumerate() {
        assert_eq!(item["index"], n);
        if n == INVALID {
            assert_eq!(pointers(&item["problem"]), POINTERS);
        } else {
            assert_eq!(item["event_id"], format!("e{n}"));
        }
    }
    let appended = appended(&answer);
    let positions: BTreeSet<Position> = appended.iter().map(|(_, position)| *position).collect();
    let records = app.topic.records().await;
    assert_eq!((positions.len(), records.len()), (ITEMS - 1, ITEMS - 1));
    let is_acknowledged = |record: &Record| positions.contains(&record.position);
    assert!(records.iter().all(is_acknowledged));
    assert_all_in_log(&records, appended);
}

/// Like [`assert_in_log`], for many events.
fn assert_all_in_log(records: &[Record], mut appended: Vec<(String, Position)>) {
    appended.sort_by_key(|(_, position)| *position);
    for (record, (id, position)) in records.iter().zip(appended) {
        assert_eq!(record.position, position);
        assert_eq!(event(record)["id"], id.as_str(), "at {position}");
    }
}

#[tokio::test]
async fn all_or_nothing_appends_none_of_ten_thousand_items_if_one_is_invalid() {
    let app = command_api_alone().start().await;
    let path = "/commands?all_or_nothing=true";
    let answer = app
        .post(path, "application/json", list_with_one_invalid_item())
        .await;
    let problem = answer.expect_status(422).json();
    assert_eq!(pointers(&problem), POINTERS);
    assert_eq!(app.topic.records().await, []);
}
