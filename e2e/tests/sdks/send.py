"""Sends events of the CloudEvents SDK to the URL in argv: one in binary mode, one in structured mode, and a batch of two. Prints the
status and the body of each response as JSON, one per line."""

import json
import sys
from datetime import datetime, timezone

import requests
from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent

URL = sys.argv[1]


def event(event_id):
    return CloudEvent(
        attributes={
            "id": event_id,
            "source": "/players/python",
            "type": "LyricsOpened",
            "subject": "Sæglópur 100%",
            "time": datetime.now(timezone.utc),
            "datacontenttype": "application/json",
            "sessionid": "a \"b\" é",
        },
        data={"user_id": "Zoë", "track_id": "t", "position_ms": 7},
    )


def send(headers, body):
    response = requests.post(URL, headers=headers, data=body, timeout=30)
    print(json.dumps({"status": response.status_code, "body": response.json()}))


binary = http.to_binary_event(event("python-binary"))
send(binary.headers, binary.body)
structured = http.to_structured_event(event("python-structured"))
send(structured.headers, structured.body)
# The SDK does not write batches: a batch is an array of structured events.
batch = [json.loads(http.to_structured_event(event(f"python-batch-{n}")).body) for n in (1, 2)]
send({"content-type": "application/cloudevents-batch+json"}, json.dumps(batch))
