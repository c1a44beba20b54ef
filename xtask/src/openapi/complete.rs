//! Completeness of an OpenAPI document: every operation, parameter, status and header has a description, and every body has
//! an example. Pure.

use serde_json::Value;

/// The gaps of a document, each with its operation.
pub(super) fn gaps(document: &Value) -> Vec<String> {
    let mut gaps = Vec::new();
    for (path, item) in members(&document["paths"]) {
        for (method, operation) in members(item) {
            let found = of_operation(document, operation);
            gaps.extend(found.map(|gap| format!("{method} {path}: {gap}")));
        }
    }
    gaps
}

fn of_operation<'a>(
    document: &'a Value,
    operation: &'a Value,
) -> impl Iterator<Item = String> + 'a {
    let own = ["operationId", "summary", "description"]
        .into_iter()
        .filter(|name| is_blank(&operation[name]))
        .map(|name| format!("no {name}"));
    let parameters = items(&operation["parameters"]).filter_map(|parameter| {
        let name = parameter["name"].as_str().unwrap_or_default();
        if is_blank(&parameter["description"]) {
            return Some(format!("parameter {name} without description"));
        }
        (!is_schema(&parameter["schema"])).then(|| format!("parameter {name} without schema"))
    });
    let bodies = members(&operation["requestBody"]["content"])
        .filter(|(_, body)| !has_example(document, body))
        .map(|(kind, _)| format!("body {kind} without example"));
    let responses = members(&operation["responses"])
        .flat_map(|(status, response)| of_response(document, status, response));
    own.chain(parameters).chain(bodies).chain(responses)
}

fn of_response(document: &Value, status: &str, response: &Value) -> Vec<String> {
    let mut gaps = Vec::new();
    if status == "default" {
        gaps.push("default: name every status".to_owned());
    }
    if is_blank(&response["description"]) {
        gaps.push(format!("{status} without description"));
    }
    let mut content = members(&response["content"]).peekable();
    if content.peek().is_none() && !status.starts_with('3') {
        gaps.push(format!("{status} without content"));
    }
    for (kind, body) in content {
        if !has_example(document, body) {
            gaps.push(format!("{status} {kind} without example"));
        }
    }
    for (name, header) in members(&response["headers"]) {
        if is_blank(&header["description"]) {
            gaps.push(format!("{status}: header {name} without description"));
        }
        if !is_schema(&header["schema"]) || header["schema"].get("example").is_none() {
            gaps.push(format!("{status}: header {name} without example"));
        }
    }
    let required = match status {
        "307" => "Location",
        "401" => "WWW-Authenticate",
        "429" | "503" => "Retry-After",
        _ => return gaps,
    };
    if response["headers"].get(required).is_none() {
        gaps.push(format!("{status} without the header {required}"));
    }
    gaps
}

/// Whether a body, its schema or the schema of its items has an example. Binary bodies need none.
fn has_example(document: &Value, body: &Value) -> bool {
    let schema = &body["schema"];
    body.get("example").is_some() || schema["format"] == "binary" || in_schema(document, schema)
}

fn in_schema(document: &Value, schema: &Value) -> bool {
    if schema.get("example").is_some() {
        return true;
    }
    let component = schema["$ref"]
        .as_str()
        .and_then(|to| document.pointer(to.trim_start_matches('#')));
    let item = schema.get("items");
    component
        .or(item)
        .is_some_and(|inner| in_schema(document, inner))
}

fn is_schema(schema: &Value) -> bool {
    schema.as_object().is_some_and(|schema| !schema.is_empty())
}

fn is_blank(text: &Value) -> bool {
    text.as_str().is_none_or(|text| text.trim().is_empty())
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents() -> [Value; 2] {
        [
            include_str!("../../../docs/openapi/command-api.json"),
            include_str!("../../../docs/openapi/query-api.json"),
        ]
        .map(|text| serde_json::from_str(text).unwrap())
    }

    #[test]
    fn both_documents_are_complete() {
        for document in documents() {
            assert_eq!(gaps(&document), Vec::<String>::new());
        }
    }

    #[test]
    fn every_removed_part_is_a_gap() {
        let [_, document] = documents();
        for (pointer, name, gap) in [
            ("", "description", "no description"),
            (
                "/parameters/0",
                "description",
                "parameter of without description",
            ),
            ("/parameters/0", "schema", "parameter of without schema"),
            ("/responses/200", "description", "200 without description"),
            ("/responses/422", "content", "422 without content"),
            (
                "/responses/422/content/application~1problem+json/schema",
                "example",
                "422 application/problem+json without example",
            ),
            (
                "/responses/200/headers/Link",
                "description",
                "200: header Link without description",
            ),
            (
                "/responses/200/headers/Link/schema",
                "example",
                "200: header Link without example",
            ),
            (
                "/responses/503/headers",
                "Retry-After",
                "503 without the header Retry-After",
            ),
        ] {
            let mut document = document.clone();
            let at = format!("/paths/~1stats~1top/get{pointer}");
            let from = document.pointer_mut(&at).unwrap().as_object_mut().unwrap();
            assert!(from.remove(name).is_some(), "{pointer}/{name}");
            assert_eq!(gaps(&document), [format!("get /stats/top: {gap}")]);
        }
    }

    #[test]
    fn a_default_response_is_a_gap() {
        let [mut document, _] = documents();
        let responses = &mut document["paths"]["/"]["get"]["responses"];
        responses["default"] = responses["200"].clone();
        assert_eq!(gaps(&document), ["get /: default: name every status"]);
    }
}
