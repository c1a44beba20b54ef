//! Schemas of types in the OpenAPI document, and the macro that writes a struct and its schema from one text. Every field is
//! always present, null where unknown, unless serde omits it.

use ess_schema::{
    EventId, PlaybackId, Source, TestId, Timestamp, TrackId, UserId,
    event::EndReason,
    id::{MAX_ID_CHARS, MAX_SOURCE_CHARS},
};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use serde_json::value::RawValue;

/// A type with a schema in the document.
pub(crate) trait Described {
    /// Its schema.
    fn schema() -> MetaSchema;
}

/// A type whose schema has a name in the document.
pub(crate) trait Named: Described {
    /// Its name.
    const NAME: &'static str;
}

/// A reference to a named schema.
pub(crate) fn reference<T: Named>() -> MetaSchemaRef {
    MetaSchemaRef::Reference(T::NAME.to_owned())
}

/// Registers a named schema.
pub(crate) fn register<T: Named>(registry: &mut Registry) {
    registry
        .schemas
        .entry(T::NAME.to_owned())
        .or_insert_with(T::schema);
}

/// A property: the schema of its type with the description of the field.
pub(super) fn property<T: Described>(about: &'static str) -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(MetaSchema {
        description: Some(about.trim()),
        ..T::schema()
    }))
}

/// Writes a struct, its serialization and its schema.
macro_rules! document {
    (
        $(#[doc = $about:literal])+
        pub(crate) struct $name:ident {
            $($(#[doc = $doc:literal])+ $(#[serde($($serde:tt)+)])? pub(crate) $field:ident: $type:ty,)+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, serde::Serialize)]
        #[allow(clippy::struct_field_names, reason = "field names are the JSON names")]
        pub(crate) struct $name {
            $($(#[doc = $doc])+ $(#[serde($($serde)+)])? pub(crate) $field: $type,)+
        }

        impl $crate::http::wire::described::Named for $name {
            const NAME: &'static str = stringify!($name);
        }

        impl $crate::http::wire::Described for $name {
            fn schema() -> poem_openapi::registry::MetaSchema {
                let fields = [$((
                    stringify!($field).trim_start_matches("r#"),
                    $crate::http::wire::described::property::<$type>(concat!($($doc),+)),
                    [$(stringify!($($serde)+),)? ""][0].is_empty(),
                ),)+];
                poem_openapi::registry::MetaSchema {
                    description: Some(concat!($($about),+).trim()),
                    required: fields.iter().filter(|(_, _, always)| *always).map(|(name, _, _)| *name).collect(),
                    properties: fields.into_iter().map(|(name, schema, _)| (name, schema)).collect(),
                    example: serde_json::to_value(Self::example()).ok(),
                    ..poem_openapi::registry::MetaSchema::new("object")
                }
            }
        }
    };
}
pub(super) use document;

macro_rules! described {
    ($($type:ty: $schema:expr;)*) => {$(
        impl Described for $type {
            fn schema() -> MetaSchema {
                $schema
            }
        }
    )*};
}

fn id(max: usize) -> MetaSchema {
    MetaSchema {
        min_length: Some(1),
        max_length: Some(max),
        ..MetaSchema::new("string")
    }
}

fn integer(format: &'static str, minimum: Option<f64>) -> MetaSchema {
    MetaSchema {
        minimum,
        ..MetaSchema::new_with_format("integer", format)
    }
}

described! {
    EventId: id(MAX_ID_CHARS);
    PlaybackId: id(MAX_ID_CHARS);
    UserId: id(MAX_ID_CHARS);
    TrackId: id(MAX_ID_CHARS);
    TestId: id(MAX_ID_CHARS);
    Source: id(MAX_SOURCE_CHARS);
    String: MetaSchema::new("string");
    Timestamp: MetaSchema::new_with_format("string", "date-time");
    EndReason: MetaSchema {
        enum_items: [Self::Completed, Self::Skipped, Self::Stopped].map(|reason| reason.as_str().into()).to_vec(),
        ..MetaSchema::new("string")
    };
    bool: MetaSchema::new("boolean");
    u8: integer("int32", Some(0.0));
    u16: integer("int32", Some(0.0));
    u32: integer("int64", Some(0.0));
    u64: integer("int64", Some(0.0));
    i64: integer("int64", None);
    f64: MetaSchema { minimum: Some(0.0), ..MetaSchema::new_with_format("number", "double") };
    Box<RawValue>: MetaSchema::ANY;
}

impl<T: Described> Described for Option<T> {
    fn schema() -> MetaSchema {
        MetaSchema {
            nullable: true,
            ..T::schema()
        }
    }
}

impl<T: Described> Described for Vec<T> {
    fn schema() -> MetaSchema {
        MetaSchema {
            items: Some(Box::new(MetaSchemaRef::Inline(Box::new(T::schema())))),
            ..MetaSchema::new("array")
        }
    }
}
