//! Decodes every record in schema/golden, one for each event and version, and compares it with its row.
//! Never edit or remove a released file: old records must stay readable.

use std::fs;
use std::path::{Path, PathBuf};

use ess_schema::decode::{KafkaRecord, decode_record};
use ess_schema::event::{CURRENT_VERSION, EventKind};
use ess_schema::row::EventRow;
use ess_schema::{Event, Position, Timestamp};
use serde_json::Value;

const NO_HEADERS: &[(String, Vec<u8>)] = &[];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The names of all records, e.g. `PlaybackStarted.v1`.
fn records() -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".row.json"))
        .map(|name| name.trim_end_matches(".json").to_owned())
        .collect();
    names.sort();
    names
}

fn decode(bytes: &[u8]) -> Event {
    let message = KafkaRecord {
        payload: Some(bytes),
        headers: NO_HEADERS,
        timestamp: Timestamp::parse_rfc3339("2025-12-24T09:43:55Z").unwrap(),
    };
    decode_record(&message).unwrap()
}

fn golden(name: &str) -> Event {
    decode(&fs::read(folder().join(format!("{name}.json"))).unwrap())
}

#[test]
fn every_event_has_a_golden_record_in_the_current_version() {
    for kind in EventKind::ALL {
        let name = format!("{}.v{CURRENT_VERSION}", kind.event_name());
        assert!(records().contains(&name), "{name} is missing");
    }
}

#[test]
fn a_golden_record_becomes_its_golden_row() {
    let position = Position {
        partition: 7,
        offset: 1234,
    };
    for name in records() {
        let row = serde_json::to_value(EventRow::new(&golden(&name), position)).unwrap();
        let expected = fs::read(folder().join(format!("{name}.row.json")))
            .unwrap_or_else(|e| panic!("{name}.row.json: {e}; the row is {row:#}"));
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        assert_eq!(row, expected, "{name}");
    }
}

#[test]
fn a_record_that_is_written_again_decodes_to_the_same_event() {
    for name in records() {
        let event = golden(&name);
        // ESS reads the predecessor's form but never writes it.
        if event.schemaversion > 0 {
            assert_eq!(decode(event.to_cloudevent().as_bytes()), event, "{name}");
        }
    }
}
