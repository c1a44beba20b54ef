//! One record of the log: finds out its shape from headers and body and reads it. Whoever wrote it,
//! it ends as an event or as a reason why not.

use super::headers::Headers;
use super::{ReceiveContext, binary, cloudevent, flat, untyped};
use crate::event::Event;
use crate::json::Object;
use crate::time::Timestamp;
use crate::violation::Violation;

/// A record as it lies in the log.
#[derive(Debug, Clone, Copy)]
pub struct KafkaRecord<'a, H> {
    /// Its value, none for a tombstone.
    pub payload: Option<&'a [u8]>,
    /// The value of the header with this (lower-case) name.
    pub headers: H,
    /// The record's timestamp.
    pub timestamp: Timestamp,
}

/// Why a record is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A record without a value.
    #[error("a tombstone: the record has no value")]
    Tombstone,
    /// A value of no bytes that is no binary-mode event either.
    #[error("the value is empty")]
    Empty,
    /// Bytes that are no text.
    #[error("the value is not UTF-8 (byte {0})")]
    NotUtf8(usize),
    /// Not one JSON object.
    #[error("the value is not a JSON object: {0}")]
    NotJson(String),
    /// An object that says neither what it is nor who and what.
    #[error("the value has none of specversion, event_type and id: its shape is unknown")]
    UnknownShape,
    /// A known shape that breaks rules.
    #[error("{}", join(.0))]
    Invalid(Vec<Violation>),
}

impl Rejection {
    /// A short name for metrics and headers: one of a closed set.
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

/// Reads one record of the log.
///
/// # Errors
/// A [`Rejection`] that says why it is no event.
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
            untyped::read_log(&object)
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
