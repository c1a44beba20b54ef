//! `schemas`: the log's contract as files, for those who read or write it without ESS: a JSON Schema for each event
//! and version, and one AsyncAPI document over them. Made from schema's types; nothing is written by hand.

mod asyncapi;

use ess_schema::event::{CURRENT_VERSION, EventKind};
use schemars::generate::SchemaSettings;

use crate::error::{Error, Result};
use crate::snapshot::{self, Snapshot};

pub(crate) fn run(args: &snapshot::Args) -> Result<()> {
    let mut snapshots = EventKind::ALL
        .into_iter()
        .map(json_schema)
        .collect::<Result<Vec<_>>>()?;
    snapshots.push(Snapshot {
        path: "docs/asyncapi.yaml".to_owned(),
        text: asyncapi::document()?,
    });
    snapshot::settle(&snapshots, args, "schemas")
}

/// File name of an event's schema, e.g. `PlaybackStarted.v1.json`.
fn file_name(kind: EventKind) -> String {
    format!("{}.v{CURRENT_VERSION}.json", kind.event_name())
}

fn json_schema(kind: EventKind) -> Result<Snapshot> {
    let mut schema = kind.json_schema(SchemaSettings::draft2020_12());
    schema.insert("$id".to_owned(), file_name(kind).into());
    let text =
        serde_json::to_string_pretty(&schema).map_err(|error| Error::message(error.to_string()))?;
    Ok(Snapshot {
        path: format!("docs/schemas/{}", file_name(kind)),
        text: text + "\n",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_names_its_event_and_what_every_event_must_carry() {
        let snapshot = json_schema(EventKind::Progressed).unwrap();
        assert_eq!(snapshot.path, "docs/schemas/PlaybackProgressed.v1.json");
        let schema: serde_json::Value = serde_json::from_str(&snapshot.text).unwrap();
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
