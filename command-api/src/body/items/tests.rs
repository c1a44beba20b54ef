//! Where the items of a body are, and where it is none.

use super::*;
use crate::config::tests::read;

fn split(body: &str, media: MediaType) -> Result<Items<'_>, RequestError> {
    let limits = read(&[("REQUEST_MAX_ITEMS", "3")]).unwrap().limits;
    items(body.as_bytes(), media, &limits)
}

fn refusal(body: &str, media: MediaType) -> String {
    split(body, media).unwrap_err().to_string()
}

#[test]
fn an_item_is_a_slice_of_the_body() {
    let body = " {\"a\": [1, 2]}\n";
    let Ok(Items::One(text)) = split(body, MediaType::Json) else {
        panic!("it is a list");
    };
    assert_eq!(text, r#"{"a": [1, 2]}"#);
    assert_eq!(text.as_ptr(), body[1..].as_ptr());
}

#[test]
fn an_array_and_lines_are_lists_also_of_one_or_none() {
    for (body, media, texts) in [
        (
            r#"[{"a":1}, {"b":[2]} ]"#,
            MediaType::Json,
            vec![r#"{"a":1}"#, r#"{"b":[2]}"#],
        ),
        (
            r#" [{"a":1}]"#,
            MediaType::CloudEventBatch,
            vec![r#"{"a":1}"#],
        ),
        ("[]", MediaType::Json, vec![]),
        ("[]", MediaType::CloudEventBatch, vec![]),
        (
            "{\"a\":1}\r\n\n {\"b\":2} \n",
            MediaType::Lines,
            vec![r#"{"a":1}"#, r#"{"b":2}"#],
        ),
        ("{\"a\":1}", MediaType::Lines, vec![r#"{"a":1}"#]),
        ("", MediaType::Lines, vec![]),
        ("{\n1", MediaType::Lines, vec!["{", "1"]),
    ] {
        assert_eq!(split(body, media), Ok(Items::List(texts)), "{body}");
    }
}

#[test]
fn a_body_that_is_not_json_says_where() {
    assert_eq!(
        refusal("{\"a\":1,\n \"b\":}", MediaType::Json),
        "line 2, column 6: expected value"
    );
    assert_eq!(
        refusal("[{\"a\":1},{]", MediaType::Json),
        "line 1, column 11: key must be a string"
    );
    assert!(
        refusal("[1] []", MediaType::Json).starts_with("line 1, column 5: trailing characters")
    );
    assert_eq!(refusal(" \n", MediaType::Json), "the body is empty");
    let limits = read(&[]).unwrap().limits;
    let not_utf8 = items(b"{\"a\":\"\xff\"}", MediaType::Json, &limits).unwrap_err();
    assert_eq!(not_utf8.to_string(), "byte 6 of the body is not UTF-8");
}

#[test]
fn several_values_without_an_array_are_told_how_to_come() {
    let refused = refusal("{\"a\":1}\n{\"b\":2}", MediaType::Json);
    assert!(refused.contains("application/x-ndjson"), "{refused}");
}

#[test]
fn a_batch_is_an_array() {
    let refused = split(r#"{"specversion":"1.0"}"#, MediaType::CloudEventBatch);
    assert_eq!(refused, Err(RequestError::NotAnArray));
}

#[test]
fn one_item_too_many_is_refused_and_counted() {
    let too_many = RequestError::TooManyItems { count: 5, most: 3 };
    assert_eq!(split("[1,2,3,4,5]", MediaType::Json), Err(too_many.clone()));
    assert_eq!(split("1\n2\n\n3\n4\n5", MediaType::Lines), Err(too_many));
    assert!(split("[1,2,3]", MediaType::Json).is_ok());
}

#[test]
fn nesting_counts_arrays_and_objects_but_not_text() {
    for (json, levels) in [
        ("1", 0),
        ("{}", 1),
        (r#"{"a":[{"b":1}],"c":[]}"#, 3),
        (r#"{"a":"[[[{{"}"#, 1),
        (r#"{"a":"\"[[","b":[1]}"#, 2),
        (r#"{"a\\":[1]}"#, 2),
    ] {
        assert_eq!(nesting(json), levels, "{json}");
    }
}
