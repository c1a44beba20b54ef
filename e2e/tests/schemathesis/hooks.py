"""Serialization of NDJSON for schemathesis, and two more checks."""

import json

import schemathesis

NDJSON = "application/x-ndjson"
# The headers of HTTP itself, which every response may have.
HTTP_HEADERS = {"connection", "content-length", "content-type", "date", "transfer-encoding"}


@schemathesis.serializer(NDJSON)
def write_lines(_context, value):
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", errors="surrogatepass")


@schemathesis.deserializer(NDJSON)
def read_lines(_context, response):
    """The schema is that of a line. The last line represents all, because the same code writes them."""
    lines = [json.loads(line) for line in response.content.splitlines()]
    return lines[-1] if lines else {}


@schemathesis.check
def only_a_timeout_of_after_is_503(_context, response, case):
    """query-api.toml allows 503, for this one reason only."""
    if response.status_code == 503:
        kind = response.json()["type"]
        assert kind == "/problems/not-yet-projected", f"503 is {kind}"
        assert "after" in case.query, "503 without after="
        assert "retry-after" in response.headers, "503 without Retry-After"


@schemathesis.check
def every_header_is_documented(_context, response, case):
    documented = case.operation.definition.raw["responses"].get(str(response.status_code))
    if documented is None:
        # No operation documents 405; status_code_conformance checks any other status.
        return
    known = {name.lower() for name in documented.get("headers", {})} | HTTP_HEADERS
    unknown = set(response.headers) - known
    assert not unknown, f"undocumented headers: {sorted(unknown)}"
