//! The OpenAPI schemas of request bodies: the media types of each route, and the items that a body may hold.

mod command;
mod convert;
mod event;
mod examples;

use std::sync::LazyLock;

use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use serde_json::{Map, Value, json};

use crate::body::media_type::{AppendRoute, CLOUDEVENT, CLOUDEVENT_BATCH, JSON, NDJSON};

const COMMAND: &str = "Command";
const EVENT: &str = "Event";

/// The named schemas of items. Static, because the document borrows their names.
static COMPONENTS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let mut components = Map::new();
    for (name, mut schema) in command::all().chain(event::all()) {
        schema["example"] = examples::of(name);
        components.insert(name.to_owned(), schema);
    }
    let commands: Vec<&str> = command::all().map(|(name, _)| name).collect();
    components.insert(COMMAND.to_owned(), any_command(&commands));
    components.insert(EVENT.to_owned(), any_event());
    components
});

/// Media types, each with the schema of a body of that type.
type BodySchemas = Vec<(&'static str, Value)>;

static COMMANDS: LazyLock<BodySchemas> = LazyLock::new(|| {
    let examples = ["StartPlayback", "ReportProgress"];
    vec![
        (JSON, one_or_array(COMMAND, examples)),
        (NDJSON, lines_of(COMMAND, examples)),
    ]
});

static EVENTS: LazyLock<BodySchemas> = LazyLock::new(|| {
    let examples = [event::CLOUD_EVENT, event::UNTYPED_EVENT];
    vec![
        (JSON, one_or_array(EVENT, examples)),
        (NDJSON, lines_of(EVENT, examples)),
        (CLOUDEVENT, ref_to(event::CLOUD_EVENT)),
        (CLOUDEVENT_BATCH, array_of(event::CLOUD_EVENT)),
    ]
});

/// Registers the named schemas.
pub(crate) fn register(registry: &mut Registry) {
    for (name, schema) in &*COMPONENTS {
        registry
            .schemas
            .insert(name.clone(), convert::convert_schema(schema));
    }
}

/// The request body of a route.
pub(crate) fn request_body(route: AppendRoute) -> MetaRequest {
    let bodies: &'static BodySchemas = match route {
        AppendRoute::Commands => &COMMANDS,
        AppendRoute::Events => &EVENTS,
    };
    let content = bodies.iter().map(|(content_type, schema)| MetaMediaType {
        content_type,
        schema: convert::reference(schema),
    });
    MetaRequest {
        description: Some(
            "At most 64 KiB and 32 levels of nesting per item, 10,000 items and 8 MiB per request, unless configured otherwise. \
             Without a Content-Type, the body is JSON. Unknown fields are stored.",
        ),
        content: content.collect(),
        required: true,
    }
}

fn any_command(names: &[&str]) -> Value {
    let mapping: Map<String, Value> = names
        .iter()
        .map(|name| ((*name).to_owned(), reference(name).into()))
        .collect();
    json!({
        "description": "One command, which makes one event.",
        "oneOf": names.iter().copied().map(ref_to).collect::<Vec<_>>(),
        "discriminator": {"propertyName": "type", "mapping": mapping},
    })
}

fn any_event() -> Value {
    let shapes = [
        event::CLOUD_EVENT,
        event::FLAT_EVENT,
        event::UNTYPED_EVENT,
        COMMAND,
    ];
    json!({
        "description": "One event, in one of four shapes. The first of the fields specversion, type, event_type, and id that is present selects the shape.",
        "anyOf": shapes.map(ref_to),
    })
}

fn one_or_array(name: &str, examples: [&str; 2]) -> Value {
    let mut body = json!({"anyOf": [ref_to(name), array_of(name)]});
    body["example"] = examples::of(examples[0]);
    body
}

fn array_of(name: &str) -> Value {
    json!({"type": "array", "items": ref_to(name)})
}

fn lines_of(name: &str, examples: [&str; 2]) -> Value {
    json!({
        "type": "string",
        "description": format!("One {name} per line. Empty lines are skipped; an invalid line does not affect the others."),
        "example": examples::lines(examples),
    })
}

fn ref_to(name: &str) -> Value {
    json!({"$ref": reference(name)})
}

fn reference(name: &str) -> String {
    format!("#/components/schemas/{name}")
}
