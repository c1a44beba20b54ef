//! Commands follow their documented schemas: numbers are not strings, strings are not numbers, and null is accepted only for nullable
//! fields.

use super::*;

/// The status for the example of the schema with one of its values replaced.
async fn status_with<E: Endpoint>(
    service: &Service<E>,
    schema: &Value,
    name: &str,
    value: Value,
) -> u16 {
    let mut item = schema["example"].clone();
    item[name] = value;
    service.post_json("/commands", &item).await.status
}

#[tokio::test]
async fn every_property_has_its_documented_type_and_is_null_only_if_documented() {
    let service = service(&[]);
    let document = Reply::of(service.client.get("/openapi.json").send().await).await;
    let schemas = &document.body["components"]["schemas"];
    let mut checked = 0;
    for command in schemas["Command"]["oneOf"].as_array().unwrap() {
        let of = command["$ref"].as_str().unwrap();
        let of = of.rsplit('/').next().unwrap();
        let schema = &schemas[of];
        for (name, property) in schema["properties"].as_object().unwrap() {
            let wrong = match property["type"].as_str() {
                Some("string") => [json!(7), json!(true), json!(["x"])],
                Some("integer") => [json!("7"), json!(true), json!(1.5)],
                _ => continue,
            };
            for value in wrong {
                let status = status_with(&service, schema, name, value.clone()).await;
                assert_eq!(status, 422, "{of}.{name} = {value}");
            }
            // These two require each other, so null for one of them is an error of its own.
            let paired = of == "FinishPlayback" && ["from_ms", "to_ms"].contains(&name.as_str());
            let expected = property["nullable"] == true && !paired;
            let status = status_with(&service, schema, name, Value::Null).await;
            assert_eq!(status < 300, expected, "{of}.{name} = null: {status}");
            checked += 1;
        }
    }
    assert!(checked > 80, "{checked}");
}
