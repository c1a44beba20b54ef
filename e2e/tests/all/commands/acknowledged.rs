//! With a working broker: every event in a response with a position is in the log at that position.

use std::collections::BTreeSet;

use ess_e2e::unique;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::*;

const NDJSON: &str = "application/x-ndjson";

#[tokio::test]
async fn every_acknowledged_position_holds_its_event_with_the_playback_id_as_key() {
    let app = command_api_alone().start().await;
    let id = |n: usize| unique(&format!("e{n}"));
    let array: Vec<Value> = (0..500).map(|n| progress(&id(n))).collect();
    let lines: Vec<String> = (0..500).map(|n| progress(&id(n)).to_string()).collect();
    let answers = [
        app.post_command(&progress(&id(0))).await,
        app.post(
            "/commands",
            "application/json",
            Value::from(array).to_string(),
        )
        .await,
        app.post("/commands/", NDJSON, lines.join("\n")).await,
    ];
    let answers = answers.map(|answer| answer.expect_status(202));
    let all: Vec<_> = answers.iter().flat_map(appended).collect();
    let records = app.topic.records().await;
    assert_eq!((all.len(), records.len()), (1_001, 1_001));
    assert_in_log(&records, &all);
    for record in &records {
        let key = String::from_utf8(record.key.clone().unwrap()).unwrap();
        assert_eq!(event(record)["subject"], key);
        let content_type = record.header("content-type");
        assert_eq!(
            content_type.as_deref(),
            Some("application/cloudevents+json")
        );
    }
}

#[tokio::test]
async fn a_predecessors_event_is_queued_only_after_it_is_in_the_log() {
    let app = command_api_alone().start().await;
    let body = json!({"id": "event-1-7", "user_id": "u", "track_id": "t", "store_time": null});
    let answer = app
        .post("/events/", "application/json", body.to_string())
        .await;
    let answer = answer.expect_status(200);
    assert_eq!(answer.json()["status"], "queued");
    let records = app.topic.records().await;
    assert_in_log(&records, &appended(&answer));
    assert_eq!(event(&records[0])["type"], "PlaybackRecorded");
}

#[tokio::test]
async fn cloudevents_are_in_the_log_with_their_own_source_and_id() {
    let app = command_api_alone().start().await;
    let cloud_event = |id: &str| {
        json!({
            "specversion": "1.0", "id": id, "source": "/players/ios", "type": "com.example.ad", "datacontenttype": "text/plain",
            "data": "shown", "partitionkey": "x",
        })
    };
    let one = app
        .post(
            "/events",
            "application/cloudevents+json",
            cloud_event("one").to_string(),
        )
        .await;
    let batch = json!([cloud_event("two"), cloud_event("three")]).to_string();
    let batch = app
        .post("/events", "application/cloudevents-batch+json", batch)
        .await;
    let all = [one.expect_status(202), batch.expect_status(202)];
    let all: Vec<_> = all.iter().flat_map(appended).collect();
    let records = app.topic.records().await;
    assert_in_log(&records, &all);
    for record in &records {
        let event = event(record);
        assert_eq!(event["source"], "/players/ios");
        assert_eq!(
            (&event["data"], &event["partitionkey"]),
            (&json!("shown"), &json!("x"))
        );
    }
}

#[tokio::test]
async fn a_request_repeated_with_its_idempotency_key_appends_the_same_events() {
    let app = command_api_alone().start().await;
    let mut without_id = progress("x");
    without_id.as_object_mut().unwrap().shift_remove("event_id");
    let body = json!([without_id, without_id]).to_string();
    let post = async || {
        let request = app.commands().request(Method::POST, "/commands");
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", "import-1");
        let answer = app.commands().send(request.body(body.clone())).await;
        appended(&answer.expect_status(202))
    };
    let (first, again) = (post().await, post().await);
    let ids = |appended: &[(String, Position)]| {
        let ids = appended.iter().map(|(id, _)| id.clone());
        ids.collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&first), ids(&again));
    assert_eq!(ids(&first).len(), 2);
    assert_eq!(app.topic.records().await.len(), 4);
}

#[tokio::test]
async fn a_rejected_item_is_not_in_the_log() {
    let app = command_api_alone().start().await;
    let with_one_bad = json!([progress("good"), {"type": "StopTheWorld"}]).to_string();
    let all_or_nothing = app
        .post(
            "/commands?all_or_nothing=true",
            "application/json",
            with_one_bad.as_str(),
        )
        .await;
    assert_eq!(
        all_or_nothing.expect_status(422).header("content-type"),
        Some("application/problem+json")
    );
    let truncated = app
        .post(
            "/commands",
            "application/json",
            format!("[{},{{", progress("good")),
        )
        .await;
    assert!(truncated.expect_status(400).text.contains("line 1"));
    assert_eq!(app.topic.records().await, []);
    let valid = app
        .post("/commands", "application/json", with_one_bad)
        .await;
    assert_eq!(appended(&valid.expect_status(207)).len(), 1);
    assert_eq!(app.topic.records().await.len(), 1);
}

#[tokio::test]
async fn a_stopping_command_api_responds_to_every_accepted_request() {
    let app = command_api_alone().start().await;
    let appending = async {
        let mut acknowledged = Vec::new();
        for n in 0.. {
            let request = app.commands().request(Method::POST, "/commands");
            let request = request.header(CONTENT_TYPE, "application/json");
            let request = request.body(progress(&format!("e{n}")).to_string());
            // Until the first request that is refused.
            match app.commands().try_send(request).await {
                Ok(answer) => acknowledged.extend(appended(&answer.expect_status(202))),
                Err(_) => break,
            }
        }
        acknowledged
    };
    let stopping = async {
        ess_e2e::eventually("some events are appended", async || {
            let ends = app.topic.end_offsets().await;
            let count: u64 = ends.values().sum();
            if count > 20 {
                Ok(())
            } else {
                Err(format!("{count}"))
            }
        })
        .await;
        app.command_api.terminate().await
    };
    let (acknowledged, code) = tokio::join!(appending, stopping);
    assert_eq!(code, 0);
    let records = app.topic.records().await;
    assert_in_log(&records, &acknowledged);
    assert_eq!(
        records.len(),
        acknowledged.len(),
        "an event was appended, but not acknowledged"
    );
}
