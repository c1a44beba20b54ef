//! Every shape of a Kafka record, and the rejections of invalid records.

use ess_schema::decode::{KafkaRecord, Rejection, decode_record};
use ess_schema::{Event, Timestamp};

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap()
}

fn decode(payload: Option<&[u8]>, headers: &[(&str, &str)]) -> Result<Event, Rejection> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect();
    decode_record(&KafkaRecord {
        payload,
        headers: headers.as_slice(),
        timestamp: now(),
    })
}

#[test]
fn a_flat_record_of_another_service_is_decoded() {
    let text = r#"{"event_type":"PlaybackStarted","event_id":"e","playback_id":"p","user_id":"u",
        "track_id":"t","occurred_at":"2026-11-23T09:59:58Z","schema_version":1,"region":"RU"}"#;
    let event = decode(Some(text.as_bytes()), &[]).unwrap();
    assert_eq!(event.source.as_str(), "external");
    assert_eq!(event.occurred_at.to_string(), "2026-11-23T09:59:58.000Z");
    assert_eq!(event.ingest_time, now(), "the record's timestamp");
    assert!(event.content.json.unwrap().contains(r#""region":"RU""#));
}

#[test]
fn a_binary_cloudevent_is_decoded_from_headers_and_value() {
    let headers = [
        ("ce_specversion", "1.0"),
        ("ce_id", "e"),
        ("ce_source", "/player"),
        ("ce_type", "PlaybackStalled"),
        ("ce_subject", "p"),
        ("ce_schemaversion", "1"),
        ("ce_time", "2026-11-23T09:59:00Z"),
        ("content-type", "application/json; charset=utf-8"),
    ];
    let data = br#"{"user_id":"u","track_id":"t","position_ms":1,"stalled_ms":2}"#;
    let event = decode(Some(data), &headers).unwrap();
    assert_eq!(event.data.type_name(), "PlaybackStalled");
    assert_eq!(event.playback_id.unwrap().as_str(), "p");
}

#[test]
fn binary_and_text_data_of_custom_events_are_retained() {
    let headers = |media_type| {
        [
            ("ce_specversion", "1.0"),
            ("ce_id", "e"),
            ("ce_source", "s"),
            ("ce_type", "Lyrics"),
            ("content-type", media_type),
        ]
    };
    let text = decode(Some(b"la \"la\""), &headers("text/plain")).unwrap();
    assert_eq!(text.content.json.as_deref(), Some(r#""la \"la\"""#));
    let bytes = decode(Some(&[0xff, 0x00]), &headers("application/x-lyrics")).unwrap();
    assert_eq!(bytes.content.base64.as_deref(), Some("/wA="));
    assert_eq!(
        bytes.content.datacontenttype.as_deref(),
        Some("application/x-lyrics")
    );
    let none = decode(None, &headers("text/plain")).unwrap();
    assert_eq!((none.content.json, none.content.base64), (None, None));
}

#[test]
fn an_invalid_record_is_rejected_with_its_reason_code() {
    let code = |payload| decode(payload, &[]).unwrap_err().code();
    assert_eq!(code(None), "tombstone");
    assert_eq!(code(Some(b"")), "empty");
    assert_eq!(code(Some(&[b'{', 0xff])), "not-utf8");
    assert_eq!(code(Some(b"hello")), "not-json");
    assert_eq!(code(Some(b"{}")), "unknown-shape");
    let no_id = decode(Some(br#"{"event_type":"PlaybackPaused","playback_id":"p","user_id":"u","track_id":"t","position_ms":1}"#), &[]);
    assert_eq!(
        no_id.unwrap_err().to_string(),
        "/id is missing; allowed: 1 to 128 visible characters"
    );
}
