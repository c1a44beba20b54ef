//! Kafka's side of the contract as files, for those who read or write the topics without ESS: a JSON Schema for each event
//! and version, and one AsyncAPI document over them, all from schema's types. Prints one JSON object, from path to text;
//! `cargo xtask schemas` writes the files.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
#![allow(clippy::print_stdout, reason = "a generator prints what it made")]

mod asyncapi;

use std::collections::BTreeMap;
use std::error::Error;

use ess_schema::event::{CURRENT_VERSION, EventKind};
use schemars::generate::SchemaSettings;

fn main() -> Result<(), Box<dyn Error>> {
    let mut files = BTreeMap::from([("docs/asyncapi.yaml".to_owned(), asyncapi::document()?)]);
    for kind in EventKind::ALL {
        files.insert(
            format!("docs/schemas/{}", file_name(kind)),
            json_schema(kind)?,
        );
    }
    println!("{}", serde_json::to_string(&files)?);
    Ok(())
}

/// File name of an event's schema, e.g. `PlaybackStarted.v1.json`.
fn file_name(kind: EventKind) -> String {
    format!("{}.v{CURRENT_VERSION}.json", kind.event_name())
}

fn json_schema(kind: EventKind) -> serde_json::Result<String> {
    let mut schema = kind.json_schema(SchemaSettings::draft2020_12());
    schema.insert("$id".to_owned(), file_name(kind).into());
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_names_its_event_and_the_required_fields() {
        assert_eq!(
            file_name(EventKind::Progressed),
            "PlaybackProgressed.v1.json"
        );
        let schema = json_schema(EventKind::Progressed).unwrap();
        let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
        let required: Vec<_> = schema["required"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|name| name.as_str())
            .collect();
        for name in ["user_id", "track_id", "from_ms", "to_ms"] {
            assert!(required.contains(&name), "{name} in {required:?}");
        }
        assert!(schema["properties"]["played_ms"].is_object() && !required.contains(&"played_ms"));
    }
}
