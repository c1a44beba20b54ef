//! Decodes one Kafka record: determines its shape from headers and value, and reads it.
//! Every record becomes an event or a [`Rejection`].

use super::headers::Headers;
use super::{ReceiveContext, binary, cloudevent, flat, untyped};
use crate::event::Event;
use crate::json::Object;
use crate::time::Timestamp;
use crate::violation::Violation;

/// A record as read from Kafka.
#[derive(Debug, Clone, Copy)]
pub struct KafkaRecord<'a, H> {
    /// The value, `None` for a tombstone.
    pub payload: Option<&'a [u8]>,
    /// The headers.
    pub headers: H,
    /// The record's timestamp.
    pub timestamp: Timestamp,
}

/// Why a record is not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A record without a value.
    #[error("a tombstone: the record has no value")]
    Tombstone,
    /// An empty value, of a record that is not in binary mode.
    #[error("the value is empty")]
    Empty,
    /// A value that is not UTF-8; the offset of the first invalid byte.
    #[error("the value is not UTF-8 (byte {0})")]
    NotUtf8(usize),
    /// A value that is not one JSON object.
    #[error("the value is not a JSON object: {0}")]
    NotJson(String),
    /// An object of unknown shape.
    #[error("the value has none of specversion, event_type and id: its shape is unknown")]
    UnknownShape,
    /// A known shape that violates rules.
    #[error("{}", join(.0))]
    Invalid(Vec<Violation>),
}

impl Rejection {
    /// The reason code, for metrics and headers: one of a closed set.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Tombstone => "tombstone",
            Self::Empty => "empty",
            Self::NotUtf8(_) => "not-utf8",
            Self::NotJson(_) => "not-json",
            Self::UnknownShape => "unknown-shape",
            Self::Invalid(_) => "invalid",
        }
    }
}

fn join(violations: &[Violation]) -> String {
    let texts: Vec<_> = violations.iter().map(Violation::to_string).collect();
    texts.join("; ")
}

/// Decodes one Kafka record.
///
/// # Errors
/// A [`Rejection`] if it is not a valid event.
pub fn decode_record<H: Headers>(record: &KafkaRecord<'_, H>) -> Result<Event, Rejection> {
    let mut context = ReceiveContext::Kafka {
        timestamp: record.timestamp,
    };
    let is_binary = record.headers.get("ce_specversion").is_some();
    let draft = if is_binary {
        binary::read(&record.headers, record.payload.unwrap_or_default())
    } else {
        let text = text(record.payload)?;
        let object = Object::parse(text).map_err(|e| Rejection::NotJson(e.to_string()))?;
        let has = |name| object.get(name).is_some();
        if has("specversion") {
            cloudevent::read(&object)
        } else if has("event_type") {
            flat::read(&object)
        } else if has("id") {
            untyped::read_record(&object)
        } else {
            return Err(Rejection::UnknownShape);
        }
    };
    draft.assemble(&mut context).map_err(Rejection::Invalid)
}

fn text(payload: Option<&[u8]>) -> Result<&str, Rejection> {
    let bytes = payload.ok_or(Rejection::Tombstone)?;
    if bytes.is_empty() {
        return Err(Rejection::Empty);
    }
    std::str::from_utf8(bytes).map_err(|e| Rejection::NotUtf8(e.valid_up_to()))
}
