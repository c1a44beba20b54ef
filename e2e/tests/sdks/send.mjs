// Sends events of the CloudEvents SDK to the URL in argv: one in binary mode, one in structured mode, and a batch of two. Prints the
// status and the body of each response as JSON, one per line.
import { CloudEvent, HTTP } from "cloudevents";

const url = process.argv[2];

const event = (id) =>
  new CloudEvent({
    id,
    source: "/players/javascript",
    type: "LyricsOpened",
    subject: "Sæglópur 100%",
    datacontenttype: "application/json",
    sessionid: 'a "b" é',
    data: { user_id: "Zoë", track_id: "t", position_ms: 7 },
  });

// The SDK does not encode header values, and fetch accepts only Latin-1, so this encodes them as the HTTP binding requires.
const encoded = (headers) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      name.startsWith("ce-") ? String(value).replace(/[^\x21\x23\x24\x26-\x7e]/gu, encodeURIComponent) : value,
    ]),
  );

async function send({ headers, body }) {
  const response = await fetch(url, { method: "POST", headers: encoded(headers), body });
  console.log(JSON.stringify({ status: response.status, body: await response.json() }));
}

await send(HTTP.binary(event("javascript-binary")));
await send(HTTP.structured(event("javascript-structured")));
// The SDK does not write batches: a batch is an array of structured events.
const batch = [1, 2].map((n) => event(`javascript-batch-${n}`));
await send({ headers: { "content-type": "application/cloudevents-batch+json" }, body: JSON.stringify(batch) });
