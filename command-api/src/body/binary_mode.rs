//! CloudEvents in binary mode: attributes as `ce-*` headers, the data as the body (CloudEvents 1.0.2, HTTP protocol binding,
//! section 3.1). Rewrites such a request in structured mode, so that one decoder applies the rules.

use ess_schema::{Violation, decode};
use percent_encoding::percent_decode;
use poem::http::{HeaderMap, HeaderName, header};
use serde::de::IgnoredAny;

const PREFIX: &str = "ce-";
/// The allowed values of an attribute header.
const ALLOWED: &str = "one header, percent-encoded UTF-8";

/// Whether a request has attribute headers.
pub(crate) fn is_used(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| attribute(name).is_some())
}

/// Rewrites a request as the JSON of a CloudEvent in structured mode.
///
/// # Errors
/// A violation for each header that cannot be decoded, and for data that is not JSON although `Content-Type` says so.
pub(crate) fn to_structured(headers: &HeaderMap, body: &[u8]) -> Result<String, Vec<Violation>> {
    let (mut attributes, mut violations) = (Vec::new(), Vec::new());
    for name in headers.keys() {
        let Some(attribute) = attribute(name) else {
            continue;
        };
        match value(headers, name, attribute) {
            Ok(value) => attributes.push((attribute.to_owned(), value)),
            Err(violation) => violations.push(violation),
        }
    }
    let media_type = headers.get(header::CONTENT_TYPE);
    let media_type = media_type.map(|value| String::from_utf8_lossy(value.as_bytes()));
    if media_type
        .as_deref()
        .is_some_and(decode::is_json_media_type)
        && !body.is_empty()
        && let Err(error) = serde_json::from_slice::<IgnoredAny>(body)
    {
        let detail = format!("is not JSON ({error}), which its Content-Type requires");
        violations.push(Violation::new("/data", detail, "JSON"));
    }
    if !violations.is_empty() {
        return Err(violations);
    }
    Ok(decode::structured_json(
        &attributes,
        media_type.as_deref(),
        body,
    ))
}

fn attribute(name: &HeaderName) -> Option<&str> {
    name.as_str().strip_prefix(PREFIX)
}

/// Decodes a header value: removes quotes, then decodes percent-encoding once (section 3.1.3.2).
fn value(headers: &HeaderMap, name: &HeaderName, attribute: &str) -> Result<String, Violation> {
    let violation = |detail: &str, allowed: &str| {
        let pointer = format!("/{attribute}");
        Err(Violation::new(
            pointer,
            format!("is sent as header {name}, which {detail}"),
            allowed,
        ))
    };
    if matches!(attribute, "data" | "data_base64" | "datacontenttype") {
        return violation(
            "is not an attribute header",
            "the data as the body, its media type as Content-Type",
        );
    }
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return violation("appears more than once", ALLOWED);
    };
    let decoded: Vec<u8> = percent_decode(&unquote(value.as_bytes())).collect();
    match String::from_utf8(decoded) {
        Ok(text) => Ok(text),
        Err(_) => violation("is not UTF-8", ALLOWED),
    }
}

/// Removes the quotes and escapes of a quoted string (RFC 9110, section 5.6.4); returns any other value unchanged.
fn unquote(value: &[u8]) -> Vec<u8> {
    let [b'"', quoted @ .., b'"'] = value else {
        return value.to_vec();
    };
    let mut unquoted = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter();
    while let Some(&byte) = bytes.next() {
        let escaped = if byte == b'\\' { bytes.next() } else { None };
        unquoted.push(*escaped.unwrap_or(&byte));
    }
    unquoted
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;
    use serde_json::{Value, json};

    use super::*;

    fn headers(given: &[(&'static str, &[u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    fn read(given: &[(&'static str, &[u8])], body: &[u8]) -> Value {
        let text = to_structured(&headers(given), body).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn pointers(given: &[(&'static str, &[u8])], body: &[u8]) -> Vec<String> {
        let violations = to_structured(&headers(given), body).unwrap_err();
        violations.into_iter().map(|v| v.pointer).collect()
    }

    #[test]
    fn values_are_unquoted_and_percent_decoded_once() {
        for (given, value) in [
            (
                &b"Euro%20%E2%82%AC%20%F0%9F%98%80"[..],
                "Euro \u{20ac} \u{1f600}",
            ),
            (b"%e2%82%ac", "\u{20ac}"),
            (b"%41%2541", "A%41"),
            (b"\"a \\\"b\\\" %25\"", "a \"b\" %"),
            (b"track: 100% \"live\"", "track: 100% \"live\""),
            (b"{\"othervalue\": 5}", "{\"othervalue\": 5}"),
            ("\u{20ac}".as_bytes(), "\u{20ac}"),
            (b"", ""),
        ] {
            assert_eq!(read(&[("ce-subject", given)], b"")["subject"], value);
        }
    }

    #[test]
    fn an_invalid_attribute_header_is_a_violation_with_its_pointer() {
        assert_eq!(pointers(&[("ce-subject", b"%C0%A0")], b""), ["/subject"]);
        assert_eq!(pointers(&[("ce-subject", b"caf\xe9")], b""), ["/subject"]);
        let twice = [("ce-id", &b"1"[..]), ("ce-id", b"2")];
        assert_eq!(pointers(&twice, b""), ["/id"]);
        let typed = [("ce-datacontenttype", &b"text/plain"[..])];
        assert_eq!(pointers(&typed, b""), ["/datacontenttype"]);
        let json = [
            ("content-type", &b"application/json"[..]),
            ("ce-data", b"1"),
        ];
        assert_eq!(pointers(&json, b"{"), ["/data", "/data"]);
    }

    #[test]
    fn data_is_json_text_or_bytes() {
        let data = |media_type: &'static [u8], body: &[u8]| {
            read(&[("ce-id", b"1"), ("content-type", media_type)], body)
        };
        let json = data(
            b"application/vnd.player+json; charset=utf-8",
            b"{\"a\":[1]}",
        );
        assert_eq!(json["data"], json!({"a": [1]}));
        assert_eq!(data(b"application/xml", b"<a/>")["data"], "<a/>");
        assert_eq!(data(b"image/png", b"\x89PNG")["data_base64"], "iVBORw==");
        assert_eq!(
            read(&[("ce-id", b"1")], b"{}"),
            json!({"id": "1", "data": {}})
        );
        assert_eq!(read(&[("ce-id", b"1")], b""), json!({"id": "1"}));
    }

    #[test]
    fn only_ce_headers_are_attributes() {
        assert!(is_used(&headers(&[("ce-type", b"a")])));
        assert!(!is_used(&headers(&[
            ("x-ce-type", b"a"),
            ("content-type", b"a")
        ])));
    }
}
