//! Splits a body into the JSON texts of its items, each a slice of the body. Whether a line of NDJSON is JSON is checked with its
//! item, so that one broken line does not affect the others.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::media_type::MediaType;
use crate::config::LimitsConfig;

/// The texts of the items of one body, in their order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Items<'b> {
    /// The body is the item.
    One(&'b str),
    /// The body is a list: an array or lines, of any number of items.
    List(Vec<&'b str>),
}

/// Why a body cannot be split into items.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ItemsError {
    #[error("the body is empty")]
    Empty,
    #[error("the body is not UTF-8: the byte at offset {offset} is invalid")]
    NotUtf8 { offset: usize },
    #[error("line {line}, column {column}: {reason}")]
    NotJson {
        line: usize,
        column: usize,
        reason: String,
    },
    #[error("the body is not a JSON array, which application/cloudevents-batch+json requires")]
    NotAnArray,
    #[error("the body has {count} items; at most {max} are allowed in one request")]
    TooMany { count: usize, max: usize },
}

/// Splits a body into its items.
///
/// # Errors
/// [`ItemsError`].
pub(crate) fn split<'b>(
    body: &'b [u8],
    media_type: MediaType,
    limits: &LimitsConfig,
) -> Result<Items<'b>, ItemsError> {
    let text = std::str::from_utf8(body).map_err(|error| ItemsError::NotUtf8 {
        offset: error.valid_up_to(),
    })?;
    let max = limits.request_items;
    let start = text.trim_ascii_start();
    match media_type {
        MediaType::NdJson => split_lines(text, max).map(Items::List),
        _ if start.is_empty() => Err(ItemsError::Empty),
        MediaType::Json | MediaType::CloudEventBatch if start.starts_with('[') => {
            split_array(text, max).map(Items::List)
        }
        MediaType::CloudEventBatch => Err(ItemsError::NotAnArray),
        MediaType::Json | MediaType::CloudEvent | MediaType::CloudEventData => {
            let value = serde_json::from_str(text).map(RawValue::get);
            value.map(Items::One).map_err(|error| not_json(&error))
        }
    }
}

/// One item per line; empty lines do not count.
fn split_lines(text: &str, max: usize) -> Result<Vec<&str>, ItemsError> {
    let items = || {
        text.lines()
            .map(str::trim_ascii)
            .filter(|line| !line.is_empty())
    };
    let texts: Vec<_> = items().take(max).collect();
    let count = if texts.len() < max {
        texts.len()
    } else {
        items().count()
    };
    check_count(count, max).map(|()| texts)
}

fn split_array(text: &str, max: usize) -> Result<Vec<&str>, ItemsError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let (texts, count) = Elements { max }
        .deserialize(&mut json)
        .and_then(|elements| json.end().map(|()| elements))
        .map_err(|error| not_json(&error))?;
    check_count(count, max).map(|()| texts)
}

fn check_count(count: usize, max: usize) -> Result<(), ItemsError> {
    if count > max {
        return Err(ItemsError::TooMany { count, max });
    }
    Ok(())
}

fn not_json(error: &serde_json::Error) -> ItemsError {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    let hint = if reason == "trailing characters" {
        "; send several items as a JSON array, or as application/x-ndjson with one item per line"
    } else {
        ""
    };
    ItemsError::NotJson {
        line: error.line(),
        column: error.column(),
        reason: format!("{reason}{hint}"),
    }
}

/// Collects the first `max` elements of an array, and counts all of them.
struct Elements {
    max: usize,
}

impl<'de> DeserializeSeed<'de> for Elements {
    type Value = (Vec<&'de str>, usize);

    fn deserialize<D: Deserializer<'de>>(self, array: D) -> Result<Self::Value, D::Error> {
        array.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements {
    type Value = (Vec<&'de str>, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while texts.len() < self.max {
            let Some(element) = array.next_element::<&'de RawValue>()? else {
                break;
            };
            texts.push(element.get());
        }
        let mut count = texts.len();
        while array.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok((texts, count))
    }
}

#[cfg(test)]
mod tests;
