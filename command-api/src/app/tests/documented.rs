//! A command is taken as the document says: no number is a text, no text is a number, and null stands only where it says so.

use super::*;

/// What the schema's example is answered with when this value stands in the place of its own.
async fn with<E: Endpoint>(service: &Service<E>, schema: &Value, name: &str, value: Value) -> u16 {
    let mut item = schema["example"].clone();
    item[name] = value;
    service.post_json("/commands", &item).await.status
}

#[tokio::test]
async fn every_property_is_of_its_documented_type_and_null_only_where_that_is_documented() {
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
                let told = with(&service, schema, name, value.clone()).await;
                assert_eq!(told, 422, "{of}.{name} = {value}");
            }
            // Of two that stand together one that is null is missed, which is another matter.
            let paired = of == "FinishPlayback" && ["from_ms", "to_ms"].contains(&name.as_str());
            let expected = property["nullable"] == true && !paired;
            let told = with(&service, schema, name, Value::Null).await;
            assert_eq!(told < 300, expected, "{of}.{name} = null: {told}");
            checked += 1;
        }
    }
    assert!(checked > 80, "{checked}");
}
