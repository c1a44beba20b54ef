//! One example of each shape of item, as a client would send it. A test checks that each is valid.

use std::sync::LazyLock;

use serde_json::{Map, Value};

static EXAMPLES: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is compiled in, and tested")]
    serde_json::from_str(include_str!("examples.json")).expect("examples.json")
});

/// The example of the schema with this name.
pub(super) fn of(schema: &str) -> Value {
    EXAMPLES.get(schema).cloned().unwrap_or_default()
}

/// Two examples as NDJSON.
pub(super) fn lines(schemas: [&str; 2]) -> Value {
    let lines = schemas.map(|schema| of(schema).to_string() + "\n");
    lines.concat().into()
}

#[cfg(test)]
mod tests {
    use ess_schema::{
        EventId, Timestamp,
        decode::{AcceptedShapes, ReceiveContext, Shape, decode_item},
        event::{EventKind, RECORD_EVENT},
    };

    use super::*;

    #[test]
    fn every_example_is_valid() {
        for (name, example) in &*EXAMPLES {
            let mut context = ReceiveContext::Request {
                received_at: Timestamp::from_millis(1_795_428_000_000).unwrap(),
                generate_id: &mut || EventId::new("new").unwrap(),
            };
            let item = decode_item(&example.to_string(), AcceptedShapes::Any, &mut context);
            let shape = match name.as_str() {
                "CloudEvent" => Shape::CloudEvent,
                "FlatEvent" => Shape::Flat,
                "UntypedEvent" => Shape::Untyped,
                _ => Shape::Command,
            };
            assert_eq!(item.map(|item| item.shape), Ok(shape), "{name}");
        }
    }

    #[test]
    fn every_command_has_an_example() {
        let names = EventKind::ALL.into_iter().map(EventKind::command_name);
        for name in names.chain([RECORD_EVENT]) {
            assert_eq!(of(name)["type"], name);
        }
    }
}
