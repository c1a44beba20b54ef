//! `POST /events`, and the redirect of `GET /events`.

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
async fn the_response_to_a_predecessors_event_is_the_predecessors_plus_the_position() {
    let service = service(&[]);
    let mut body = untyped();
    body.as_object_mut().unwrap().remove("ingest_time");
    let reply = service.post_json("/events/", &body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let expected = json!({"status": "queued", "event_id": "event-1-7", "playback_id": "event-1-7", "position": "7:0"});
    assert_eq!(reply.body, expected);
    assert_eq!(reply.header("ess-position"), Some("7:0"));
    assert_eq!(service.records()[0].1["type"], "PlaybackRecorded");
}

#[tokio::test]
async fn in_a_list_a_predecessors_event_is_like_any_other_event() {
    let reply = service(&[]).post_json("/events", &json!([untyped()])).await;
    assert_eq!((reply.status, &reply.body["appended"]), (202, &json!(1)));
}

#[tokio::test]
async fn every_shape_is_accepted() {
    let flat = json!({"event_type": "PlaybackStarted", "event_id": "f", "playback_id": "p", "user_id": "u", "track_id": "t"});
    let items = [cloud_event("c"), flat, progress("k"), untyped()];
    let service = service(&[]);
    let reply = service
        .post("/events", "application/x-ndjson", lines(&items))
        .await;
    assert_eq!(reply.status, 202, "{reply:?}");
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
async fn cloudevents_are_accepted_alone_and_in_batches() {
    let service = service(&[]);
    let (one, batch) = (
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
    );
    let reply = service
        .post("/events", one, cloud_event("c1").to_string())
        .await;
    assert_eq!(reply.status, 202, "{reply:?}");
    assert_eq!(reply.body["event_id"], "c1");
    let events = json!([cloud_event("c2"), cloud_event("c3")]);
    let reply = service.post("/events", batch, events.to_string()).await;
    assert_eq!((reply.status, &reply.body["appended"]), (202, &json!(2)));
    let reply = service.post("/events", batch, "[]").await;
    assert_eq!((reply.status, &reply.body["appended"]), (202, &json!(0)));
    let invalid = |reply: &Reply, detail| {
        reply.assert_problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid-item", detail);
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
async fn binary_mode_reads_attributes_from_headers_and_is_rejected_for_commands() {
    let service = service(&[]);
    let request = service
        .client
        .post("/events")
        .content_type("application/json");
    let request = request
        .header("ce-specversion", "1.0")
        .header("ce-id", "b")
        .body(untyped().to_string());
    let reply = Reply::of(request.send().await).await;
    let pointers = reply.body["errors"].as_array().unwrap().iter();
    let pointers: Vec<_> = pointers.map(|error| error["pointer"].as_str()).collect();
    let expected = vec![Some("/source"), Some("/type")];
    assert_eq!((reply.status, pointers), (422, expected));
    let command = service.client.post("/commands").header("ce-id", "b");
    let reply = Reply::of(command.body("{}").send().await).await;
    reply.assert_problem(
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
async fn an_event_without_a_playback_has_no_location() {
    let body =
        json!({"type": "RecordEvent", "event_id": "r", "event_type": "AppOpened", "user_id": "u"});
    let reply = service(&[]).post_json("/events", &body).await;
    assert_eq!(reply.body, json!({"event_id": "r", "position": "7:0"}));
    assert_eq!(reply.header("location"), None);
}

#[tokio::test]
async fn reading_events_redirects_to_the_query_api() {
    let service = service(&[("QUERY_API_URL", "http://read:8001")]);
    for (path, location) in [
        ("/events", "http://read:8001/events"),
        ("/events/", "http://read:8001/events"),
        (
            "/events/?limit=5&offset=%31",
            "http://read:8001/events?limit=5&offset=%31",
        ),
    ] {
        let reply = Reply::of(service.client.get(path).send().await).await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (307, Some(location))
        );
    }
}
