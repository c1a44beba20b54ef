//! A list of which a part is wrong, as large as a list may be: each item has its own fate, told in the order of the request.

use std::collections::BTreeSet;

use super::*;

const ITEMS: usize = 10_000;
const BAD: usize = 4_711;

/// As many items as a request may have, all of them in order but one, which breaks three rules.
fn all_but_one() -> String {
    let mut items: Vec<Value> = (0..ITEMS).map(|n| progress(&format!("e{n}"))).collect();
    items[BAD] = json!({
        "type": "ReportProgress", "event_id": "bad", "playback_id": "p", "user_id": "",
        "from_ms": 2, "to_ms": "1",
    });
    Value::from(items).to_string()
}

/// All that is wrong with the bad item.
const POINTERS: [&str; 3] = ["/4711/user_id", "/4711/track_id", "/4711/to_ms"];

fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap().iter();
    errors.map(|e| e["pointer"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn one_bad_item_of_ten_thousand_is_told_with_all_that_is_wrong_and_the_others_are_appended() {
    let app = command_api_alone().start().await;
    let answer = app
        .post("/commands", "application/json", all_but_one())
        .await
        .expect_status(207);
    let told = answer.json();
    assert_eq!(
        (&told["appended"], &told["refused"]),
        (&json!(ITEMS - 1), &json!(1))
    );
    let items = told["items"].as_array().unwrap();
    assert_eq!(items.len(), ITEMS);
    for (n, item) in items.iter().enumerate() {
        assert_eq!(item["index"], n);
        if n == BAD {
            assert_eq!(pointers(&item["problem"]), POINTERS);
        } else {
            assert_eq!(item["event_id"], format!("e{n}"));
        }
    }
    let appended = appended(&answer);
    let positions: BTreeSet<Position> = appended.iter().map(|(_, position)| *position).collect();
    let records = app.topic.records().await;
    assert_eq!((positions.len(), records.len()), (ITEMS - 1, ITEMS - 1));
    let lies_there = |record: &Record| positions.contains(&record.position);
    assert!(records.iter().all(lies_there));
    assert_each_is_itself(&records, appended);
}

/// As [`assert_lie_there`], of many.
fn assert_each_is_itself(records: &[Record], mut appended: Vec<(String, Position)>) {
    appended.sort_by_key(|(_, position)| *position);
    for (record, (id, position)) in records.iter().zip(appended) {
        assert_eq!(record.position, position);
        assert_eq!(event(record)["id"], id.as_str(), "at {position}");
    }
}

#[tokio::test]
async fn all_or_nothing_appends_nothing_of_ten_thousand_when_one_is_bad() {
    let app = command_api_alone().start().await;
    let path = "/commands?all_or_nothing=true";
    let answer = app.post(path, "application/json", all_but_one()).await;
    let problem = answer.expect_status(422).json();
    assert_eq!(pointers(&problem), POINTERS);
    assert_eq!(app.topic.records().await, []);
}
