//! Every shape of an item of a request, and the violations of invalid items.

use ess_schema::decode::{AcceptedShapes, Item, ReceiveContext, Shape, decode_item};
use ess_schema::{EventId, Timestamp, Violation};

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap()
}

fn read(text: &str, accept: AcceptedShapes) -> Result<Item, Vec<Violation>> {
    let mut context = ReceiveContext::Request {
        received_at: now(),
        generate_id: &mut || EventId::new("made").unwrap(),
    };
    decode_item(text, accept, &mut context)
}

fn rejected(text: &str, accept: AcceptedShapes) -> Vec<String> {
    let violations = read(text, accept).unwrap_err();
    violations.iter().map(Violation::to_string).collect()
}

#[test]
fn a_command_becomes_its_event_with_unknown_fields() {
    let text = r#"{"type":"ReportProgress","playback_id":"p","user_id":"u","track_id":"t",
        "from_ms":0,"to_ms":10000,"mood":["calm"],"source":"app","event_id":"e","test_id":"run"}"#;
    let Item { event, shape } = read(text, AcceptedShapes::Commands).unwrap();
    assert_eq!(shape, Shape::Command);
    assert_eq!(event.data.type_name(), "PlaybackProgressed");
    assert_eq!((event.id.as_str(), event.source.as_str()), ("e", "app"));
    assert_eq!((event.occurred_at, event.ingest_time), (now(), now()));
    let data = event.content.json.as_deref().unwrap();
    assert_eq!(
        data,
        r#"{"user_id":"u","track_id":"t","from_ms":0,"to_ms":10000,"mood":["calm"]}"#
    );
}

#[test]
fn a_missing_id_is_generated_and_the_default_source_is_the_command_api() {
    let text = r#"{"type":"PausePlayback","playback_id":"p","user_id":"u","track_id":"t","position_ms":1}"#;
    let event = read(text, AcceptedShapes::Any).unwrap().event;
    assert_eq!(
        (event.id.as_str(), event.source.as_str()),
        ("made", "ess/command-api")
    );
}

#[test]
fn all_violations_of_an_item_are_reported_together() {
    let text = r#"{"type":"FinishPlayback","user_id":7,"track_id":"","reason":"bored","to_ms":5,
        "time":"yesterday","played_ms":-3,"event_id":"a b"}"#;
    assert_eq!(
        rejected(text, AcceptedShapes::Commands),
        [
            "/event_id has \\u{20} at character 2; allowed: 1 to 128 visible characters",
            "/time is not an RFC 3339 time (the 'year' component could not be parsed); \
             allowed: an RFC 3339 time from 1970 to 2261, for example 2026-11-23T10:00:00.123Z",
            "/user_id is a number (7), not a string; allowed: 1 to 128 visible characters",
            "/track_id is empty; allowed: 1 to 128 visible characters",
            "/reason is \"bored\"; allowed: completed, skipped or stopped",
            "/from_ms is missing; allowed: from_ms and to_ms together, or neither",
            "/played_ms is a number (-3), not an integer that is not negative; \
             allowed: an integer from 0 to 1000000000000",
            "/playback_id is missing; allowed: 1 to 128 visible characters",
        ]
    );
}

#[test]
fn a_playback_command_needs_its_playback() {
    let text = r#"{"type":"PausePlayback","user_id":"u","track_id":"t","position_ms":1}"#;
    assert_eq!(
        rejected(text, AcceptedShapes::Any),
        ["/playback_id is missing; allowed: 1 to 128 visible characters"]
    );
}

#[test]
fn traceparent_must_be_text_because_a_cloudevents_attribute_is_not_an_object() {
    let text = r#"{"type":"RecordPlayback","user_id":"u","track_id":"t","traceparent":{}}"#;
    let expected = "/traceparent is an object ({}), not a string; allowed: text";
    assert_eq!(rejected(text, AcceptedShapes::Commands), [expected]);
}

#[test]
fn a_stretch_must_not_run_backwards() {
    let text = r#"{"type":"ReportProgress","playback_id":"p","user_id":"u","track_id":"t","from_ms":9,"to_ms":8}"#;
    assert_eq!(
        rejected(text, AcceptedShapes::Any),
        ["/to_ms is 8, before from_ms (9); allowed: an integer not below from_ms"]
    );
}

#[test]
fn an_unknown_command_is_rejected_with_the_known_commands() {
    let event_name = rejected(r#"{"type":"PlaybackStarted"}"#, AcceptedShapes::Commands);
    assert!(
        event_name[0]
            .starts_with("/type is an event (PlaybackStarted); its command is StartPlayback")
    );
    let unknown = rejected(r#"{"type":"Dance"}"#, AcceptedShapes::Commands);
    assert!(unknown[0].starts_with("/type is not a command (\"Dance\"); allowed: StartPlayback, "));
    assert!(
        rejected("{}", AcceptedShapes::Commands)[0]
            .starts_with("/type is missing; allowed: StartPlayback")
    );
}

#[test]
fn a_custom_event_is_recorded_by_record_event() {
    let text = r#"{"type":"RecordEvent","event_type":"AdShown","playback_id":"p","user_id":"u",
        "data":[1,{"a":null}],"note":"x"}"#;
    let event = read(text, AcceptedShapes::Commands).unwrap().event;
    assert_eq!(event.data.type_name(), "AdShown");
    assert_eq!(event.content.json.as_deref(), Some(r#"[1,{"a":null}]"#));
    assert_eq!(
        event.extensions,
        [("extra".to_owned(), r#""{\"note\":\"x\"}""#.to_owned())]
    );
    let own = r#"{"type":"RecordEvent","event_type":"PlaybackStarted"}"#;
    assert!(
        rejected(own, AcceptedShapes::Commands)[0].contains("the command StartPlayback for it")
    );
}

#[test]
fn a_custom_event_holds_32_kib() {
    let with = |bytes: usize| {
        let data = "x".repeat(bytes - 2);
        format!(r#"{{"type":"RecordEvent","event_type":"Big","data":"{data}"}}"#)
    };
    assert!(read(&with(32 * 1024), AcceptedShapes::Commands).is_ok());
    assert_eq!(
        rejected(&with(32 * 1024 + 1), AcceptedShapes::Commands),
        ["/data has 32769 bytes; allowed: at most 32 KiB of data in a custom event"]
    );
}

#[test]
fn a_cloudevent_is_read_with_its_extensions() {
    let text = r#"{"specversion":"1.0","id":"e","source":"/player","type":"PlaybackPaused","subject":"p",
        "time":"2026-11-23T09:59:00Z","ingesttime":"2020-01-01T00:00:00Z","traceparent":"00-a",
        "data":{"user_id":"u","track_id":"t","position_ms":5}}"#;
    let Item { event, shape } = read(text, AcceptedShapes::Any).unwrap();
    assert_eq!(shape, Shape::CloudEvent);
    assert_eq!(event.playback_id.as_ref().unwrap().as_str(), "p");
    assert_eq!(
        event.ingest_time,
        now(),
        "a request is ingested when it arrives"
    );
    assert_eq!(
        event.extensions,
        [("traceparent".to_owned(), "\"00-a\"".to_owned())]
    );
}

#[test]
fn violations_inside_a_cloudevent_point_into_its_data() {
    let text = r#"{"specversion":"1.1","id":"e","source":"s","type":"PlaybackPaused","data":{"user_id":"u"},
        "schemaversion":1}"#;
    assert_eq!(
        rejected(text, AcceptedShapes::CloudEvents),
        [
            "/data/track_id is missing; allowed: 1 to 128 visible characters",
            "/data/position_ms is missing; allowed: an integer from 0 to 1000000000000 (ms)",
            "/specversion is \"1.1\"; allowed: \"1.0\"",
            "/subject is missing; allowed: 1 to 128 visible characters",
        ]
    );
}

#[test]
fn an_extension_attribute_is_a_scalar() {
    let text =
        r#"{"specversion":"1.0","id":"e","source":"s","type":"AdShown","campaign":{"id":1}}"#;
    assert_eq!(
        rejected(text, AcceptedShapes::Any),
        [
            "/campaign is an object ({\"id\":1}), not a string, a number or a boolean; \
          allowed: a string, a number or a boolean"
        ]
    );
}

#[test]
fn a_newer_version_is_rejected() {
    let text = r#"{"specversion":"1.0","id":"e","source":"s","type":"PlaybackPaused","subject":"p","schemaversion":2,"data":{}}"#;
    assert_eq!(
        rejected(text, AcceptedShapes::Any),
        ["/schemaversion is 2, unknown for PlaybackPaused; allowed: one of: 1"]
    );
}

#[test]
fn the_predecessors_body_is_an_entire_playback() {
    let text = r#"{"id":"event-1-2","user_id":"user-1","track_id":"t","ingest_time":"2026-11-23 09:00:00","timestamp":1}"#;
    let Item { event, shape } = read(text, AcceptedShapes::Any).unwrap();
    assert_eq!(shape, Shape::Untyped);
    assert_eq!(event.data.type_name(), "PlaybackRecorded");
    assert_eq!(event.playback_id.as_ref().unwrap().as_str(), "event-1-2");
    assert_eq!(event.occurred_at.to_string(), "2026-11-23T09:00:00.000Z");
    assert_eq!(event.ingest_time, now());
    assert_eq!(
        rejected(
            r#"{"id":1,"user_id":"u","track_id":"t","ingest_time":true}"#,
            AcceptedShapes::Any
        ),
        [
            "/id is a number (1), not a string; allowed: 1 to 128 visible characters",
            "/ingest_time is a boolean (true), not a time; allowed: ISO 8601 with or without zone \
             (none means UTC), or Unix seconds or milliseconds",
        ]
    );
}

#[test]
fn a_time_outside_the_window_is_rejected_at_its_field() {
    let text = r#"{"id":"e","user_id":"u","track_id":"t","ingest_time":"2019-01-01"}"#;
    assert_eq!(
        rejected(text, AcceptedShapes::Any),
        [
            "/ingest_time is 2019-01-01T00:00:00.000Z, 249127200 s before ESS received it; \
          allowed: at most 5 minutes after and 400 days before the time of receipt"
        ]
    );
}

#[test]
fn items_that_are_not_objects_or_have_no_known_shape_are_rejected() {
    assert!(
        rejected("[1]", AcceptedShapes::Any)[0].starts_with("the item is not a JSON object ([1])")
    );
    assert!(rejected("{", AcceptedShapes::Any)[0].starts_with("the item is not JSON (EOF"));
    assert!(rejected(r#"{"a":1}"#, AcceptedShapes::Any)[0].contains("its shape is unknown"));
}
