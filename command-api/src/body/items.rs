//! From the bytes of a body to the texts of its items, each a slice of the body. What an item says is not looked at
//! here; whether a line is JSON at all is told with its item, so that a broken line costs no other one.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::media_type::MediaType;
use crate::{config::LimitsConfig, errors::RequestError};

/// The items of one body: the text of each, in its order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Items<'b> {
    /// The body is the item.
    One(&'b str),
    /// The body is a list (an array, or lines), be it of one item or of none.
    List(Vec<&'b str>),
}

/// Finds the items of a body.
///
/// # Errors
/// [`RequestError`]: the body is not UTF-8, not JSON (lines apart), or has too many items.
pub(crate) fn items<'b>(
    body: &'b [u8],
    media: MediaType,
    limits: &LimitsConfig,
) -> Result<Items<'b>, RequestError> {
    let text = std::str::from_utf8(body).map_err(|e| RequestError::NotUtf8 {
        at: e.valid_up_to(),
    })?;
    let most = limits.request_items;
    let start = text.trim_ascii_start();
    match media {
        MediaType::Lines => lines(text, most).map(Items::List),
        _ if start.is_empty() => Err(RequestError::Empty),
        MediaType::Json | MediaType::CloudEventBatch if start.starts_with('[') => {
            elements(text, most).map(Items::List)
        }
        MediaType::CloudEventBatch => Err(RequestError::NotAnArray),
        MediaType::Json | MediaType::CloudEvent | MediaType::CloudEventData => {
            let item = value(text).map_err(|e| RequestError::not_json(&e))?;
            Ok(Items::One(item))
        }
    }
}

fn value(text: &str) -> Result<&str, serde_json::Error> {
    serde_json::from_str(text).map(RawValue::get)
}

/// One item a line; empty lines do not count.
fn lines(text: &str, most: usize) -> Result<Vec<&str>, RequestError> {
    let items = || {
        text.lines()
            .map(str::trim_ascii)
            .filter(|line| !line.is_empty())
    };
    let texts: Vec<_> = items().take(most).collect();
    let count = if texts.len() < most {
        texts.len()
    } else {
        items().count()
    };
    within(most, count).map(|()| texts)
}

fn elements(text: &str, most: usize) -> Result<Vec<&str>, RequestError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let (texts, count) = Elements { most }
        .deserialize(&mut json)
        .and_then(|elements| json.end().map(|()| elements))
        .map_err(|e| RequestError::not_json(&e))?;
    within(most, count).map(|()| texts)
}

fn within(most: usize, count: usize) -> Result<(), RequestError> {
    if count > most {
        return Err(RequestError::TooManyItems { count, most });
    }
    Ok(())
}

/// Keeps the first `most` elements of an array, and counts the others.
struct Elements {
    most: usize,
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
        while texts.len() < self.most {
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

/// How deep arrays and objects nest in a text, if it is JSON.
pub(crate) fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests;
