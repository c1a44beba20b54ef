//! CloudEvents in binary mode: attributes in headers, data in the value. Rewritten in structured mode, so that one reader has
//! all rules.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::cloudevent;
use super::draft::Draft;
use super::headers::Headers;
use crate::json::{Object, push_string};

pub(super) fn read<H: Headers>(headers: &H, payload: &[u8]) -> Draft {
    let mut attributes = Vec::new();
    headers.for_each(&mut |name, value| {
        let lower = name.to_ascii_lowercase();
        if let Some(attribute) = lower.strip_prefix("ce_") {
            attributes.push((
                attribute.to_owned(),
                String::from_utf8_lossy(value).into_owned(),
            ));
        }
    });
    let media_type = headers.get("content-type");
    let media_type = media_type.map(String::from_utf8_lossy);
    let text = structured_json(&attributes, media_type.as_deref(), payload);
    // The text always parses, because `structured_json` wrote and escaped it.
    let object = Object::parse(&text);
    match object {
        Ok(object) => cloudevent::read(&object),
        Err(_) => cloudevent::read(&Object::empty()),
    }
}

/// Rewrites a CloudEvent from binary to structured mode: its attributes by name, the media type of its data, and the data. Text that
/// is declared as JSON (the default) and is not JSON becomes a string.
pub fn structured_json(
    attributes: &[(String, String)],
    media_type: Option<&str>,
    payload: &[u8],
) -> String {
    let mut text = String::from("{");
    let mut member = |name: &str, value: &str| {
        if text.len() > 1 {
            text.push(',');
        }
        push_string(&mut text, name);
        text.push(':');
        text.push_str(value);
    };
    for (name, value) in attributes {
        member(name, &quoted(value));
    }
    if let Some(media_type) = media_type {
        member("datacontenttype", &quoted(media_type));
    }
    if !payload.is_empty() {
        let (name, value) = data(media_type, payload);
        member(name, &value);
    }
    text.push('}');
    text
}

/// JSON stays JSON, other text becomes a JSON string, other bytes become base64.
fn data(media_type: Option<&str>, payload: &[u8]) -> (&'static str, String) {
    let Ok(text) = std::str::from_utf8(payload) else {
        return ("data_base64", quoted(&STANDARD.encode(payload)));
    };
    let is_json = serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
    if media_type.is_none_or(is_json_media_type) && is_json {
        ("data", text.to_owned())
    } else {
        ("data", quoted(text))
    }
}

/// Whether a media type is JSON: `*/json` or `*/*+json`.
pub fn is_json_media_type(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json")
}

fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    push_string(&mut text, value);
    text
}
