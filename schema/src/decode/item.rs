//! Decodes one item of a request: determines its shape, and reads it.

use super::{ReceiveContext, cloudevent, command, flat, untyped};
use crate::event::{Event, EventKind};
use crate::json::Object;
use crate::violation::Violation;

/// The shapes that a route accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptedShapes {
    /// Commands only.
    Commands,
    /// CloudEvents only, because the media type says so.
    CloudEvents,
    /// Commands, CloudEvents, flat JSON with `event_type`, the predecessor's untyped body.
    Any,
}

/// The shape of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A flat command with `type`.
    Command,
    /// A CloudEvent in JSON.
    CloudEvent,
    /// Flat JSON with `event_type`.
    Flat,
    /// The predecessor's `{id, user_id, track_id, ingest_time?}`.
    Untyped,
}

/// An event from a request, and its shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The event.
    pub event: Event,
    /// Its shape.
    pub shape: Shape,
}

/// Decodes one item. `text` is one JSON value.
///
/// # Errors
/// Every [`Violation`] of the item.
pub fn decode_item(
    text: &str,
    accept: AcceptedShapes,
    context: &mut ReceiveContext<'_>,
) -> Result<Item, Vec<Violation>> {
    let object = Object::parse(text).map_err(|e| vec![not_an_object(text, &e)])?;
    let shape = shape(&object, accept)?;
    let event = match shape {
        Shape::Command => command::read(&object),
        Shape::CloudEvent => cloudevent::read(&object),
        Shape::Flat => flat::read(&object),
        Shape::Untyped => untyped::read_request(&object),
    }
    .assemble(context)?;
    Ok(Item { event, shape })
}

fn shape(object: &Object<'_>, accept: AcceptedShapes) -> Result<Shape, Vec<Violation>> {
    let has = |name| object.get(name).is_some();
    match accept {
        AcceptedShapes::CloudEvents => Ok(Shape::CloudEvent),
        AcceptedShapes::Any if has("specversion") => Ok(Shape::CloudEvent),
        AcceptedShapes::Commands | AcceptedShapes::Any if has("type") => Ok(Shape::Command),
        AcceptedShapes::Any if has("event_type") => Ok(Shape::Flat),
        AcceptedShapes::Any if has("id") => Ok(Shape::Untyped),
        AcceptedShapes::Any => Err(vec![Violation::new(
            "",
            "has none of specversion, type, event_type and id, so its shape is unknown",
            "a command with type, a CloudEvent with specversion, flat JSON with event_type, \
             or {id, user_id, track_id}",
        )]),
        AcceptedShapes::Commands => Err(vec![Violation::new(
            "/type",
            "is missing",
            EventKind::command_names(),
        )]),
    }
}

fn not_an_object(text: &str, error: &serde_json::Error) -> Violation {
    let start = crate::violation::shortened(text.trim_start());
    let detail = if error.is_data() {
        format!("is not a JSON object ({start})")
    } else {
        format!("is not JSON ({error}: {start})")
    };
    Violation::new("", detail, "a JSON object")
}
