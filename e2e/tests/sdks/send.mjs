// Sends events made by the CloudEvents SDK to the URL in argv: one in binary mode, one in structured mode, and a batch of two.
// Prints the status and the body of each answer, one a line, as JSON.
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

// The SDK leaves the values of headers as they are; fetch takes only bytes there, so they are encoded as the binding says.
const encoded = (headers) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      name.startsWith("ce-") ? String(value).replace(/[^\x21\x23\x24\x26-\x7e]/gu, encodeURIComponent) : value,
    ]),
  );

async function send({ headers, body }) {
  const answer = await fetch(url, { method: "POST", headers: encoded(headers), body });
  console.log(JSON.stringify({ status: answer.status, body: await answer.json() }));
}

await send(HTTP.binary(event("javascript-binary")));
await send(HTTP.structured(event("javascript-structured")));
// The SDK reads batches and writes none: they are an array of structured events.
const batch = [1, 2].map((n) => event(`javascript-batch-${n}`));
await send({ headers: { "content-type": "application/cloudevents-batch+json" }, body: JSON.stringify(batch) });
