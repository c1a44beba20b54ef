//! A list of events as a body: written in each form, and documented.

use poem_openapi::registry::{MetaMediaType, MetaSchema, MetaSchemaRef};

use crate::{accept::Format, queries::StoredEvent, read_model::SelectError, wire};

/// The bodies of a list of events.
pub(super) fn list_of_events() -> Vec<MetaMediaType> {
    let array = MetaSchema {
        items: Some(Box::new(wire::reference::<wire::Event>())),
        ..MetaSchema::new("array")
    };
    vec![
        MetaMediaType {
            content_type: Format::Json.media_type(),
            schema: MetaSchemaRef::Inline(Box::new(array)),
        },
        MetaMediaType {
            content_type: Format::NdJson.media_type(),
            schema: wire::reference::<wire::Event>(),
        },
    ]
}

/// The events in the form asked for.
pub(super) fn body(events: Vec<StoredEvent>, format: Format) -> Result<Vec<u8>, SelectError> {
    let events = events
        .into_iter()
        .map(wire::Event::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    let written = match format {
        Format::Json => serde_json::to_vec(&events),
        Format::NdJson => events.iter().try_fold(Vec::new(), |mut lines, event| {
            serde_json::to_writer(&mut lines, event)?;
            lines.push(b'\n');
            Ok(lines)
        }),
    };
    written.map_err(|error| SelectError::InvalidRow(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(id: &str) -> StoredEvent {
        StoredEvent {
            event_id: id.to_owned(),
            data: "{\"a\":\n1}".to_owned(),
            ..StoredEvent::default()
        }
    }

    #[test]
    fn a_list_is_one_array_or_one_event_a_line() {
        let events = || vec![stored("e1"), stored("e2")];
        let text = |format| String::from_utf8(body(events(), format).unwrap()).unwrap();
        let array: Vec<serde_json::Value> = serde_json::from_str(&text(Format::Json)).unwrap();
        let lines: Vec<serde_json::Value> = text(Format::NdJson)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(array.len(), 2);
        assert_eq!(array, lines);
        assert_eq!(body(Vec::new(), Format::Json).unwrap(), b"[]");
        assert_eq!(body(Vec::new(), Format::NdJson).unwrap(), b"");
    }
}
