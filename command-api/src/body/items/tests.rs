//! Which items a body has, and which bodies are rejected.

use super::*;
use crate::config::tests::read;

fn split_up_to_3(body: &str, media_type: MediaType) -> Result<Items<'_>, ItemsError> {
    let limits = read(&[("REQUEST_MAX_ITEMS", "3")]).unwrap().limits;
    split(body.as_bytes(), media_type, &limits)
}

fn error(body: &str, media_type: MediaType) -> String {
    split_up_to_3(body, media_type).unwrap_err().to_string()
}

#[test]
fn an_item_is_a_slice_of_the_body() {
    let body = " {\"a\": [1, 2]}\n";
    let Ok(Items::One(text)) = split_up_to_3(body, MediaType::Json) else {
        panic!("a list");
    };
    assert_eq!(text, r#"{"a": [1, 2]}"#);
    assert_eq!(text.as_ptr(), body[1..].as_ptr());
}

#[test]
fn an_array_and_lines_are_lists_of_any_length() {
    for (body, media_type, texts) in [
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
            MediaType::NdJson,
            vec![r#"{"a":1}"#, r#"{"b":2}"#],
        ),
        ("{\"a\":1}", MediaType::NdJson, vec![r#"{"a":1}"#]),
        ("", MediaType::NdJson, vec![]),
        ("{\n1", MediaType::NdJson, vec!["{", "1"]),
    ] {
        assert_eq!(
            split_up_to_3(body, media_type),
            Ok(Items::List(texts)),
            "{body}"
        );
    }
}

#[test]
fn an_error_gives_line_and_column() {
    assert_eq!(
        error("{\"a\":1,\n \"b\":}", MediaType::Json),
        "line 2, column 6: expected value"
    );
    assert_eq!(
        error("[{\"a\":1},{]", MediaType::Json),
        "line 1, column 11: key must be a string"
    );
    assert!(error("[1] []", MediaType::Json).starts_with("line 1, column 5: trailing characters"));
    assert_eq!(error(" \n", MediaType::Json), "the body is empty");
    let limits = read(&[]).unwrap().limits;
    let not_utf8 = split(b"{\"a\":\"\xff\"}", MediaType::Json, &limits).unwrap_err();
    assert_eq!(
        not_utf8.to_string(),
        "the body is not UTF-8: the byte at offset 6 is invalid"
    );
}

#[test]
fn the_error_for_several_values_suggests_ndjson() {
    let message = error("{\"a\":1}\n{\"b\":2}", MediaType::Json);
    assert!(message.contains("application/x-ndjson"), "{message}");
}

#[test]
fn a_batch_is_an_array() {
    let error = split_up_to_3(r#"{"specversion":"1.0"}"#, MediaType::CloudEventBatch);
    assert_eq!(error, Err(ItemsError::NotAnArray));
}

#[test]
fn too_many_items_are_rejected_and_counted() {
    let too_many = ItemsError::TooMany { count: 5, max: 3 };
    assert_eq!(
        split_up_to_3("[1,2,3,4,5]", MediaType::Json),
        Err(too_many.clone())
    );
    assert_eq!(
        split_up_to_3("1\n2\n\n3\n4\n5", MediaType::NdJson),
        Err(too_many)
    );
    assert!(split_up_to_3("[1,2,3]", MediaType::Json).is_ok());
}
