//! Converts a JSON Schema in the dialect of OpenAPI 3.0 to poem-openapi's types. Supports only the keywords that the schemas
//! here use.

use poem_openapi::registry::{MetaDiscriminatorObject, MetaSchema, MetaSchemaRef};
use serde_json::Value;

const REFERENCE: &str = "#/components/schemas/";

/// Converts a schema, or a reference to a component. `'static`, because poem-openapi borrows names.
pub(super) fn reference(schema: &'static Value) -> MetaSchemaRef {
    match text(schema, "$ref").and_then(|to| to.strip_prefix(REFERENCE)) {
        Some(name) => MetaSchemaRef::Reference(name.to_owned()),
        None => MetaSchemaRef::Inline(Box::new(convert_schema(schema))),
    }
}

/// Converts a schema.
pub(super) fn convert_schema(schema: &'static Value) -> MetaSchema {
    let length = |name| schema[name].as_u64().map(|n| n as usize);
    MetaSchema {
        format: text(schema, "format"),
        title: text(schema, "title").map(str::to_owned),
        description: text(schema, "description"),
        required: list(schema, "required")
            .iter()
            .filter_map(Value::as_str)
            .collect(),
        properties: properties(schema),
        items: boxed(schema, "items"),
        additional_properties: boxed(schema, "additionalProperties"),
        enum_items: list(schema, "enum").to_vec(),
        nullable: schema["nullable"] == true,
        any_of: list(schema, "anyOf").iter().map(reference).collect(),
        one_of: list(schema, "oneOf").iter().map(reference).collect(),
        discriminator: discriminator(schema),
        example: schema.get("example").cloned(),
        minimum: schema["minimum"].as_f64(),
        maximum: schema["maximum"].as_f64(),
        min_length: length("minLength"),
        max_length: length("maxLength"),
        pattern: text(schema, "pattern").map(str::to_owned),
        max_items: length("maxItems"),
        ..MetaSchema::new(text(schema, "type").unwrap_or_default())
    }
}

fn text(schema: &'static Value, keyword: &str) -> Option<&'static str> {
    schema.get(keyword)?.as_str()
}

fn list(schema: &'static Value, keyword: &str) -> &'static [Value] {
    schema[keyword].as_array().map_or(&[], Vec::as_slice)
}

fn boxed(schema: &'static Value, keyword: &str) -> Option<Box<MetaSchemaRef>> {
    schema.get(keyword).map(|inner| Box::new(reference(inner)))
}

fn properties(schema: &'static Value) -> Vec<(&'static str, MetaSchemaRef)> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, property)| (name.as_str(), reference(property)))
        .collect()
}

fn discriminator(schema: &'static Value) -> Option<MetaDiscriminatorObject> {
    let discriminator = schema.get("discriminator")?;
    let mapping = discriminator["mapping"].as_object().into_iter().flatten();
    Some(MetaDiscriminatorObject {
        property_name: text(discriminator, "propertyName")?,
        mapping: mapping
            .filter_map(|(name, to)| Some((name.clone(), to.as_str()?.to_owned())))
            .collect(),
    })
}
