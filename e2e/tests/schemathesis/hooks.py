"""What schemathesis does not know by itself, and two checks of ours."""

import json

import schemathesis

NDJSON = "application/x-ndjson"
# Those of HTTP itself: every answer may have them.
OF_HTTP = {"connection", "content-length", "content-type", "date", "transfer-encoding"}


@schemathesis.serializer(NDJSON)
def write_lines(_context, value):
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", errors="surrogatepass")


@schemathesis.deserializer(NDJSON)
def read_lines(_context, response):
    """The schema is that of a line. All lines are written by the same code: the last stands for them."""
    lines = [json.loads(line) for line in response.content.splitlines()]
    return lines[-1] if lines else {}


@schemathesis.check
def only_what_is_waited_for_is_503(_context, response, case):
    """query-api.toml lets 503 pass: it is in order for one reason alone."""
    if response.status_code == 503:
        kind = response.json()["type"]
        assert kind == "/problems/not-yet-projected", f"503 is {kind}"
        assert "after" in case.query, "503 without after="
        assert "retry-after" in response.headers, "503 without Retry-After"


@schemathesis.check
def every_header_is_documented(_context, response, case):
    documented = case.operation.definition.raw["responses"].get(str(response.status_code))
    if documented is None:
        # 405 is told by no operation, and any other status by status_code_conformance.
        return
    known = {name.lower() for name in documented.get("headers", {})} | OF_HTTP
    unknown = set(response.headers) - known
    assert not unknown, f"headers that are not documented: {sorted(unknown)}"
