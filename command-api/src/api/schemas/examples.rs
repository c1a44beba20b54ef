//! One example of each shape of item, as a caller would send it. A test holds them against the rules.

use std::sync::LazyLock;

use serde_json::{Map, Value};

static EXAMPLES: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the text is a part of this program, and tested"
    )]
    serde_json::from_str(include_str!("examples.json")).expect("examples.json")
});

/// The example of the schema with this name.
pub(super) fn of(schema: &str) -> Value {
    EXAMPLES.get(schema).cloned().unwrap_or_default()
}

/// Two of them, one a line.
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
    fn every_example_would_be_taken() {
        for (name, example) in &*EXAMPLES {
            let mut context = ReceiveContext::Request {
                received_at: Timestamp::from_millis(1_795_428_000_000).unwrap(),
                generate_id: &mut || EventId::new("made").unwrap(),
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
    fn every_command_has_its_example() {
        let names = EventKind::ALL.into_iter().map(EventKind::command_name);
        for name in names.chain([RECORD_EVENT]) {
            assert_eq!(of(name)["type"], name);
        }
    }
}
