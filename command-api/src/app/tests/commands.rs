//! `POST /commands`.

use super::*;

const NDJSON: &str = "application/x-ndjson";

/// An invalid command: it has no track.
fn invalid() -> Value {
    json!({"type": "ReportProgress", "playback_id": "p", "user_id": "u", "from_ms": 0, "to_ms": 1})
}

#[tokio::test]
async fn the_response_to_a_command_has_its_position_and_the_location_of_its_playback() {
    let service = service(&[("QUERY_API_URL", "https://stats.example/")]);
    let reply = service.post_json("/commands", &progress("e1")).await;
    assert_eq!(reply.status, 202);
    let expected = json!({"event_id": "e1", "playback_id": "p/1", "position": "7:0"});
    assert_eq!(reply.body, expected);
    assert_eq!(reply.header("ess-position"), Some("7:0"));
    let location = "https://stats.example/stats/playback/p%2F1?after=7:0";
    assert_eq!(reply.header("location"), Some(location));
    let (key, record) = &service.records()[0];
    assert_eq!(key, "p/1");
    assert_eq!(record["type"], "PlaybackProgressed");
    assert_eq!(record["data"]["to_ms"], 10_000);
}

#[tokio::test]
async fn the_response_to_a_list_has_one_outcome_per_item_in_order() {
    let items = [progress("e1"), progress("e2"), progress("e3")];
    let array = Value::from(items.to_vec()).to_string();
    for (content_type, body) in [("application/json", array), (NDJSON, lines(&items))] {
        let reply = service(&[]).post("/commands", content_type, body).await;
        assert_eq!(reply.status, 202, "{reply:?}");
        let item = |index, id, at| json!({"index": index, "event_id": id, "position": at});
        let items = [
            item(0, "e1", "7:0"),
            item(1, "e2", "7:1"),
            item(2, "e3", "7:2"),
        ];
        let expected = json!({"appended": 3, "refused": 0, "items": items});
        assert_eq!(reply.body, expected);
        assert_eq!(reply.header("ess-position"), Some("7:2"));
        assert_eq!(reply.header("location"), None);
    }
}

#[tokio::test]
async fn a_list_of_one_is_a_list_and_an_empty_list_is_valid() {
    let service = service(&[]);
    let reply = service
        .post_json("/commands", &json!([progress("e1")]))
        .await;
    assert_eq!((reply.status, &reply.body["appended"]), (202, &json!(1)));
    let none = json!({"appended": 0, "refused": 0, "items": []});
    for (content_type, body) in [("application/json", "[]"), (NDJSON, "\n")] {
        let reply = service.post("/commands", content_type, body).await;
        assert_eq!((reply.status, &reply.body), (202, &none));
        assert_eq!(reply.header("ess-position"), None);
    }
}

#[tokio::test]
async fn the_valid_items_of_a_list_are_appended_and_the_others_have_problems() {
    let service = service(&[]);
    let list = json!([progress("e1"), invalid(), 17, progress("e4")]);
    let reply = service.post_json("/commands", &list).await;
    assert_eq!(reply.status, 207, "{reply:?}");
    assert_eq!(
        (&reply.body["appended"], &reply.body["refused"]),
        (&json!(2), &json!(2))
    );
    let items = &reply.body["items"];
    assert_eq!(items[0]["position"], "7:0");
    assert_eq!(items[1]["problem"]["status"], 422);
    assert_eq!(items[1]["problem"]["errors"][0]["pointer"], "/1/track_id");
    assert_eq!(items[2]["problem"]["errors"][0]["pointer"], "/2");
    assert_eq!(
        items[3],
        json!({"index": 3, "event_id": "e4", "position": "7:1"})
    );
    assert_eq!(service.records().len(), 2);
}

#[tokio::test]
async fn all_or_nothing_appends_nothing_if_an_item_is_invalid() {
    let service = service(&[]);
    let list = json!([progress("e1"), invalid(), 17]);
    let reply = service
        .post_json("/commands?all_or_nothing=true", &list)
        .await;
    reply.assert_problem(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-item",
        "2 of 3 items",
    );
    assert_eq!(reply.pointers(), ["/1/track_id", "/2"]);
    assert_eq!(service.records(), []);
    let list = json!([progress("e1"), progress("e2")]);
    let reply = service
        .post_json("/commands?all_or_nothing=true", &list)
        .await;
    assert_eq!(reply.status, 202, "{reply:?}");
}

#[tokio::test]
async fn an_invalid_command_names_its_fields() {
    let reply = service(&[]).post_json("/commands", &invalid()).await;
    reply.assert_problem(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-item",
        "/track_id is missing",
    );
    assert_eq!(reply.pointers(), ["/track_id"]);
    let reply = service(&[]).post_json("/commands", &json!("text")).await;
    reply.assert_problem(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-item",
        "not a JSON object",
    );
}

#[tokio::test]
async fn the_commands_route_rejects_events() {
    let service = service(&[]);
    let untyped = json!({"id": "e", "user_id": "u", "track_id": "t"});
    let flat = json!({"event_type": "PlaybackStarted", "playback_id": "p", "user_id": "u", "track_id": "t"});
    for event in [untyped, flat] {
        let reply = service.post_json("/commands", &event).await;
        assert_eq!((reply.status, reply.pointers()), (422, vec!["/type"]));
    }
    assert_eq!(service.records(), []);
}

#[tokio::test]
async fn an_invalid_line_does_not_affect_the_other_lines() {
    let service = service(&[]);
    let body = format!("{}\n{{\"type\":\n{}\n", progress("e1"), progress("e2"));
    let reply = service.post("/commands", NDJSON, body).await;
    assert_eq!((reply.status, service.records().len()), (207, 2));
    let problem = &reply.body["items"][1]["problem"];
    assert_eq!(problem["errors"][0]["pointer"], "/1");
    let detail = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("is not JSON (EOF while parsing"),
        "{detail}"
    );
}

#[tokio::test]
async fn a_body_that_is_not_json_appends_nothing() {
    let service = service(&[]);
    let not_json =
        |reply: &Reply, at| reply.assert_problem(StatusCode::BAD_REQUEST, "not-json", at);
    let reply = service
        .post("/commands", "application/json", "{\"type\":\n}")
        .await;
    not_json(&reply, "line 2, column 1");
    not_json(
        &service.post("/commands", "application/json", "").await,
        "empty",
    );
    assert_eq!(service.records(), []);
}

#[tokio::test]
async fn limits_are_413() {
    let settings = [
        ("ITEM_MAX_BYTES", "1024"),
        ("REQUEST_MAX_BYTES", "4096"),
        ("REQUEST_MAX_ITEMS", "2"),
    ];
    let service = service(&settings);
    let mut large = progress("e1");
    large["x"] = "x".repeat(2_000).into();
    let too_large = |reply: &Reply, detail| {
        reply.assert_problem(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail);
    };
    too_large(
        &service.post_json("/commands", &large).await,
        "1024 bytes per item",
    );
    let many = json!([progress("e1"), progress("e2"), progress("e3")]);
    too_large(
        &service.post_json("/commands", &many).await,
        "3 items; at most 2",
    );
    too_large(
        &service.post("/commands", NDJSON, "x".repeat(4_097)).await,
        "4096 bytes",
    );
    let reply = service
        .post_json("/commands", &json!([large, progress("e2")]))
        .await;
    assert_eq!(
        (reply.status, &reply.body["items"][0]["problem"]["status"]),
        (207, &json!(413))
    );
    assert_eq!(service.records().len(), 1);
}

#[tokio::test]
async fn an_unsupported_media_type_is_415_and_the_default_is_json() {
    let service = service(&[]);
    for content_type in ["text/plain", "application/cloudevents+json"] {
        let reply = service
            .post("/commands", content_type, progress("e1").to_string())
            .await;
        reply.assert_problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            content_type,
        );
    }
    let compressed = service
        .client
        .post("/commands")
        .header("content-encoding", "br");
    let reply = Reply::of(compressed.body("…").send().await).await;
    reply.assert_problem(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "gzip or zstd",
    );
    let plain = service
        .client
        .post("/commands")
        .body(progress("e1").to_string());
    assert_eq!(Reply::of(plain.send().await).await.status, 202);
}

#[tokio::test]
async fn an_idempotency_key_gives_a_repeated_request_the_same_event_ids() {
    let service = service(&[]);
    let without_id = || {
        let mut command = progress("");
        command.as_object_mut().unwrap().remove("event_id");
        command
    };
    let body = json!([without_id(), without_id(), progress("mine")]).to_string();
    let post = async |key: &str| {
        let request = service
            .client
            .post("/commands")
            .header("idempotency-key", key);
        let reply = Reply::of(request.body(body.clone()).send().await).await;
        let id = |index: usize| reply.body["items"][index]["event_id"].clone();
        [id(0), id(1), id(2)]
    };
    let (first, again, other) = (post("a").await, post("a").await, post("b").await);
    assert_eq!(first, again);
    assert_ne!(first[0], first[1]);
    assert_ne!(first[0], other[0]);
    assert_eq!((&first[2], &other[2]), (&json!("mine"), &json!("mine")));
    let invalid_key = service
        .client
        .post("/commands")
        .header("idempotency-key", "é");
    let reply = Reply::of(invalid_key.body(body.clone()).send().await).await;
    reply.assert_problem(StatusCode::BAD_REQUEST, "bad-request", "Idempotency-Key");
}
