//! The request bodies of both routes: which media types they have, and what each may hold.

mod command;
mod convert;
mod event;
mod examples;

use std::sync::LazyLock;

use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use serde_json::{Map, Value, json};

use crate::body::media_type::{CLOUDEVENT, CLOUDEVENT_BATCH, JSON, NDJSON, Route};

const COMMAND: &str = "Command";
const EVENT: &str = "Event";

/// Every named schema of a body. Made once, and kept: the document refers to its names.
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

/// Media types, each with the schema of a body that has it.
type Bodies = Vec<(&'static str, Value)>;

static COMMANDS: LazyLock<Bodies> = LazyLock::new(|| {
    let examples = ["StartPlayback", "ReportProgress"];
    vec![
        (JSON, one_or_many(COMMAND, examples)),
        (NDJSON, lines(COMMAND, examples)),
    ]
});

static EVENTS: LazyLock<Bodies> = LazyLock::new(|| {
    let examples = [event::CLOUD_EVENT, event::UNTYPED_EVENT];
    vec![
        (JSON, one_or_many(EVENT, examples)),
        (NDJSON, lines(EVENT, examples)),
        (CLOUDEVENT, to(event::CLOUD_EVENT)),
        (CLOUDEVENT_BATCH, many(event::CLOUD_EVENT)),
    ]
});

/// Adds every schema that a body refers to.
pub(crate) fn register(registry: &mut Registry) {
    for (name, schema) in &*COMPONENTS {
        registry
            .schemas
            .insert(name.clone(), convert::converted(schema));
    }
}

/// The body of a route.
pub(crate) fn of(route: Route) -> MetaRequest {
    let bodies: &'static Bodies = match route {
        Route::Commands => &COMMANDS,
        Route::Events => &EVENTS,
    };
    let content = bodies.iter().map(|(content_type, schema)| MetaMediaType {
        content_type,
        schema: convert::reference(schema),
    });
    MetaRequest {
        description: Some(
            "At most 64 KiB an item, 10,000 items and 8 MiB a request, 32 levels of nesting, unless configured otherwise. \
             Without a Content-Type it is read as JSON. Fields not named here are kept.",
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
        "description": "One command: it makes one event.",
        "oneOf": names.iter().copied().map(to).collect::<Vec<_>>(),
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
        "description": "One event, in one of four shapes: told apart by specversion, type, event_type and id, in this order.",
        "anyOf": shapes.map(to),
    })
}

fn one_or_many(name: &str, examples: [&str; 2]) -> Value {
    let mut body = json!({"anyOf": [to(name), many(name)]});
    body["example"] = examples::of(examples[0]);
    body
}

fn many(name: &str) -> Value {
    json!({"type": "array", "items": to(name)})
}

fn lines(name: &str, examples: [&str; 2]) -> Value {
    json!({
        "type": "string",
        "description": format!("One {name} a line; empty lines do not count, and a line that is not JSON costs no other one."),
        "example": examples::lines(examples),
    })
}

fn to(name: &str) -> Value {
    json!({"$ref": reference(name)})
}

fn reference(name: &str) -> String {
    format!("#/components/schemas/{name}")
}
