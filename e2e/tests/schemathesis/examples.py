"""Validates every example of a response and of a header in the OpenAPI document at a URL against its schema."""

import json
import sys
from urllib.request import urlopen

import jsonschema_rs


def to_json_schema(schema):
    """Converts a schema from the dialect of OpenAPI 3.0, which has nullable."""
    if isinstance(schema, list):
        return [to_json_schema(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: to_json_schema(value) for name, value in schema.items() if name not in ("nullable", "example", "discriminator")}
    if schema.get("nullable") is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain


def examples(name, schema, components):
    """The examples of a schema, or of the schema that it refers to."""
    if "example" in schema:
        yield name, schema, schema["example"]
    elif "$ref" in schema:
        component = schema["$ref"].rsplit("/", 1)[-1]
        yield from examples(f"{name} ({component})", components[component], components)


def main(url):
    document = json.load(urlopen(url))
    components = document["components"]["schemas"]
    found, wrong = 0, []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                parts = {**response.get("content", {}), **response.get("headers", {})}
                for kind, media in parts.items():
                    for name, schema, example in examples(f"{method} {path} {status} {kind}", media["schema"], components):
                        complete = {**to_json_schema(schema), "components": {"schemas": to_json_schema(components)}}
                        found += 1
                        for error in jsonschema_rs.iter_errors(complete, example):
                            wrong.append(f"{name}: {list(error.instance_path)} {error.message}")
    print(f"{found} examples at {url}")
    if wrong or not found:
        sys.exit("\n".join(wrong) or "no examples")


main(sys.argv[1])
