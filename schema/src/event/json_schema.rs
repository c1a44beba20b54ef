//! The JSON Schema of a type, as every document about events uses it: the OpenAPI documents, docs/schemas and AsyncAPI.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

/// The schema of `T` in `dialect`, as the value is serialized, with subschemas inlined. Additional properties are allowed, because
/// ESS stores fields that it does not know.
pub fn json_schema<T: JsonSchema>(dialect: SchemaSettings) -> Schema {
    let settings = dialect
        .for_serialize()
        .with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>()
}
