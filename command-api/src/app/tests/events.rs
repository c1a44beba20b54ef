//! `POST /events`, and where `GET /events` leads.

use super::*;

fn cloud_event(id: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/players", "type": "PlaybackPaused", "subject": "p",
        "data": {"user_id": "u", "track_id": "t", "position_ms": 1},
    })
}

fn untyped() -> Value {
    json!({"id": "event-1-7", "user_id": "u", "track_id": "t", "ingest_time": null})
}

#[tokio::test]
async fn the_predecessors_event_is_answered_as_it_was_and_with_its_position() {
    let service = service(&[]);
    let mut body = untyped();
    body.as_object_mut().unwrap().remove("ingest_time");
    let told = service.post_json("/events/", &body).await;
    assert_eq!(told.status, 200, "{told:?}");
    let expected = json!({"status": "queued", "event_id": "event-1-7", "playback_id": "event-1-7", "position": "7:0"});
    assert_eq!(told.body, expected);
    assert_eq!(told.header("ess-position"), Some("7:0"));
    assert_eq!(service.records()[0].1["type"], "PlaybackRecorded");
}

#[tokio::test]
async fn in_a_list_the_predecessors_event_is_an_event_like_any_other() {
    let told = service(&[]).post_json("/events", &json!([untyped()])).await;
    assert_eq!((told.status, &told.body["appended"]), (202, &json!(1)));
}

#[tokio::test]
async fn every_shape_is_an_event() {
    let flat = json!({"event_type": "PlaybackStarted", "event_id": "f", "playback_id": "p", "user_id": "u", "track_id": "t"});
    let items = [cloud_event("c"), flat, progress("k"), untyped()];
    let service = service(&[]);
    let told = service
        .post("/events", "application/x-ndjson", lines(&items))
        .await;
    assert_eq!(told.status, 202, "{told:?}");
    let types: Vec<_> = service
        .records()
        .into_iter()
        .map(|(_, record)| record["type"].clone())
        .collect();
    let expected = [
        "PlaybackPaused",
        "PlaybackStarted",
        "PlaybackProgressed",
        "PlaybackRecorded",
    ];
    assert_eq!(types, expected);
}

#[tokio::test]
async fn cloudevents_come_alone_and_in_batches() {
    let service = service(&[]);
    let (one, batch) = (
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
    );
    let told = service
        .post("/events", one, cloud_event("c1").to_string())
        .await;
    assert_eq!(told.status, 202, "{told:?}");
    assert_eq!(told.body["event_id"], "c1");
    let events = json!([cloud_event("c2"), cloud_event("c3")]);
    let told = service.post("/events", batch, events.to_string()).await;
    assert_eq!((told.status, &told.body["appended"]), (202, &json!(2)));
    let told = service.post("/events", batch, "[]").await;
    assert_eq!((told.status, &told.body["appended"]), (202, &json!(0)));
    let invalid = |told: &Reply, detail| {
        told.assert_problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid-item", detail);
    };
    invalid(
        &service
            .post("/events", batch, cloud_event("c").to_string())
            .await,
        "not a JSON array",
    );
    invalid(
        &service.post("/events", one, events.to_string()).await,
        "not a JSON object",
    );
    invalid(
        &service
            .post("/events", one, progress("k").to_string())
            .await,
        "/specversion is missing",
    );
}

#[tokio::test]
async fn in_binary_mode_headers_are_the_attributes_and_no_command_has_any() {
    let service = service(&[]);
    let request = service
        .client
        .post("/events")
        .content_type("application/json");
    let request = request
        .header("ce-specversion", "1.0")
        .header("ce-id", "b")
        .body(untyped().to_string());
    let told = Reply::of(request.send().await).await;
    let pointers = told.body["errors"].as_array().unwrap().iter();
    let pointers: Vec<_> = pointers.map(|error| error["pointer"].as_str()).collect();
    let expected = vec![Some("/source"), Some("/type")];
    assert_eq!((told.status, pointers), (422, expected));
    let command = service.client.post("/commands").header("ce-id", "b");
    let told = Reply::of(command.body("{}").send().await).await;
    told.assert_problem(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "POST /events",
    );
    let mirrored = service
        .client
        .post("/events")
        .header("ce-specversion", "1.0");
    let mirrored = mirrored
        .content_type("application/cloudevents+json")
        .body(cloud_event("c").to_string());
    assert_eq!(Reply::of(mirrored.send().await).await.status, 202);
}

#[tokio::test]
async fn an_event_without_a_playback_has_no_place_to_be_read_at() {
    let body =
        json!({"type": "RecordEvent", "event_id": "r", "event_type": "AppOpened", "user_id": "u"});
    let told = service(&[]).post_json("/events", &body).await;
    assert_eq!(told.body, json!({"event_id": "r", "position": "7:0"}));
    assert_eq!(told.header("location"), None);
}

#[tokio::test]
async fn events_are_read_elsewhere() {
    let service = service(&[("QUERY_API_URL", "http://read:8001")]);
    for (asked, told) in [
        ("/events", "http://read:8001/events"),
        ("/events/", "http://read:8001/events"),
        (
            "/events/?limit=5&offset=%31",
            "http://read:8001/events?limit=5&offset=%31",
        ),
    ] {
        let answer = Reply::of(service.client.get(asked).send().await).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (307, Some(told))
        );
    }
}
