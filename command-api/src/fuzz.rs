//! Fuzzes the body decoder and CloudEvents in binary mode: no input may cause a panic, and every accepted event must decode from
//! its record unchanged.

use std::{fs, path::Path};

use ess_fuzz::Target;
use ess_schema::{
    Event, Timestamp,
    decode::{KafkaRecord, decode_record},
    record::CONTENT_TYPE,
};
use poem::http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    body::{
        binary_mode,
        items::{self, Items},
        media_type::{AppendRoute, MediaType},
    },
    config::{LimitsConfig, tests::read},
    decode::ItemDecoder,
};

const MEDIA_TYPES: [MediaType; 4] = [
    MediaType::Json,
    MediaType::NdJson,
    MediaType::CloudEvent,
    MediaType::CloudEventBatch,
];
const WORDS: [&str; 40] = [
    "null",
    "true",
    "1e400",
    "-1",
    "18446744073709551615",
    "\"\"",
    "[]",
    "{}",
    "\"type\":",
    "\"specversion\":\"1.0\"",
    "\"event_type\":",
    "\"id\":",
    "\"event_id\":",
    "\"playback_id\":",
    "\"user_id\":",
    "\"track_id\":",
    "\"source\":",
    "\"subject\":",
    "\"time\":",
    "\"data\":",
    "\"data_base64\":",
    "\"datacontenttype\":",
    "\"from_ms\":",
    "\"to_ms\":",
    "\"seq\":",
    "\"schemaversion\":",
    "\"ingest_time\":",
    "StartPlayback",
    "ReportProgress",
    "RecordEvent",
    "PlaybackFinished",
    "2026-11-25T00:00:00Z",
    "+25:61",
    "\\u0000",
    "\\ud800",
    "\u{20ac}",
    "%C0%A0",
    "%25",
    "ce-subject: ",
    "content-type: ",
];

/// Records of every event type, and requests of real clients.
fn inputs() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["schema/golden", "e2e/tests/clients"];
    let files = folders
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort_unstable();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-25T00:00:00Z").unwrap()
}

/// The record of the event decodes to the same event.
fn assert_decodes_unchanged(event: &Event) {
    let headers = [("content-type".to_owned(), CONTENT_TYPE.into())];
    let text = event.to_cloudevent();
    let message = KafkaRecord {
        payload: Some(text.as_bytes()),
        headers: &headers[..],
        timestamp: now(),
    };
    assert_eq!(decode_record(&message).as_ref(), Ok(event), "{text}");
}

fn is_accepted(
    texts: &[&str],
    route: AppendRoute,
    media_type: MediaType,
    limits: &LimitsConfig,
) -> bool {
    let decoder = ItemDecoder {
        accept: route.accepted_shapes(media_type),
        key: None,
        received_at: now(),
        limits,
        only_user: None,
    };
    let accepted = texts
        .iter()
        .enumerate()
        .filter_map(|(index, text)| decoder.decode(index, text).ok());
    accepted
        .map(|item| assert_decodes_unchanged(&item.event))
        .count()
        > 0
}

#[test]
fn any_body_gives_items_or_an_error() {
    let limits = read(&[]).unwrap().limits;
    let bodies = inputs().into_iter().flat_map(|input| {
        let media_types = 0..MEDIA_TYPES.len() as u8;
        media_types.map(move |media_type| [&[media_type][..], &input].concat())
    });
    Target::new("body", bodies).words(WORDS).run(|input| {
        let Some((media_type, body)) = input.split_first() else {
            return false;
        };
        let media_type = MEDIA_TYPES[usize::from(*media_type) % MEDIA_TYPES.len()];
        let texts = match items::split(body, media_type, &limits) {
            Err(_) => return false,
            Ok(Items::One(text)) => vec![text],
            Ok(Items::List(texts)) => texts,
        };
        assert!(
            texts
                .iter()
                .all(|text| body.as_ptr_range().contains(&text.as_ptr()) || text.is_empty())
        );
        let routes = [AppendRoute::Commands, AppendRoute::Events];
        let accepted = routes.map(|route| is_accepted(&texts, route, media_type, &limits));
        accepted.contains(&true)
    });
}

/// Splits an input into headers and body.
fn request(input: &[u8]) -> (HeaderMap, &[u8]) {
    let (mut headers, mut rest) = (HeaderMap::new(), input);
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = rest[..end].trim_ascii();
        rest = &rest[end + 1..];
        if line.is_empty() {
            break;
        }
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default().trim_ascii();
        let name = HeaderName::from_bytes(&line[..colon]);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}

#[test]
fn any_request_in_binary_mode_gives_an_event_or_an_error() {
    let limits = read(&[]).unwrap().limits;
    let with_current_date = |input: Vec<u8>| {
        let text = String::from_utf8_lossy(&input);
        text.replace("2025-07-23T", "2026-11-23T").into_bytes()
    };
    let requests = inputs().into_iter().map(with_current_date);
    Target::new("binary-mode", requests)
        .words(WORDS)
        .run(|input| {
            let (headers, body) = request(input);
            let Ok(text) = binary_mode::to_structured(&headers, body) else {
                return false;
            };
            is_accepted(
                &[&text],
                AppendRoute::Events,
                MediaType::CloudEventData,
                &limits,
            )
        });
}
