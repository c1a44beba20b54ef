//! The JSON of one raw event: its envelope, and its data as they were sent.

mod table;

use ess_schema::{Position, Timestamp, time::InvalidTime};
use serde_json::value::RawValue;

use super::described::document;
use crate::sql::{InvalidRow, StoredEvent};

document! {
    /// A fact in the log. Two events with the same id and source are the same event.
    pub(crate) struct Event {
        /// Unique within the source.
        pub(crate) id: String,
        /// What happened, for example PlaybackStarted.
        pub(crate) r#type: String,
        /// The playback it belongs to.
        pub(crate) playback_id: Option<String>,
        /// The user.
        pub(crate) user_id: Option<String>,
        /// The track.
        pub(crate) track_id: Option<String>,
        /// When it happened at the source.
        pub(crate) occurred_at: Timestamp,
        /// When it was accepted.
        pub(crate) ingest_time: Timestamp,
        /// When it was stored in the read model.
        pub(crate) store_time: Timestamp,
        /// The test run it belongs to.
        pub(crate) test_id: Option<String>,
        /// Where the event comes from.
        pub(crate) source: String,
        /// The version of the data's schema.
        pub(crate) schemaversion: u16,
        /// The log position: partition:offset.
        pub(crate) position: String,
        /// The data as they were sent: any JSON.
        pub(crate) data: Option<Box<RawValue>>,
        /// The media type of data that are not JSON.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(crate) datacontenttype: Option<String>,
        /// Binary data in base64.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(crate) data_base64: Option<String>,
        /// Further CloudEvents attributes, such as traceparent.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(crate) extensions: Option<Box<RawValue>>,
    }
}

impl TryFrom<StoredEvent> for Event {
    type Error = InvalidRow;

    fn try_from(event: StoredEvent) -> Result<Self, InvalidRow> {
        let StoredEvent {
            event_id,
            source,
            r#type,
            schemaversion,
            playback_id,
            user_id,
            track_id,
            occurred_at,
            ingest_time,
            store_time,
            test_id,
            datacontenttype,
            data,
            data_base64,
            extensions,
            partition,
            offset,
        } = event;
        let time = |millis| -> Result<Timestamp, InvalidTime> { Timestamp::from_millis(millis) };
        Ok(Self {
            id: event_id,
            r#type,
            playback_id: given(playback_id),
            user_id: given(user_id),
            track_id: given(track_id),
            occurred_at: time(occurred_at)?,
            ingest_time: time(ingest_time)?,
            store_time: time(store_time)?,
            test_id: given(test_id),
            source,
            schemaversion,
            position: Position { partition, offset }.to_string(),
            data: raw(data)?,
            datacontenttype: given(datacontenttype),
            data_base64: given(data_base64),
            extensions: raw(extensions)?,
        })
    }
}

fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// JSON text unchanged, but on one line for NDJSON. Line breaks inside strings are always escaped, so the others are white space.
fn raw(text: String) -> Result<Option<Box<RawValue>>, InvalidRow> {
    let Some(text) = given(text) else {
        return Ok(None);
    };
    let line = if text.contains(['\n', '\r']) {
        text.replace(['\n', '\r'], " ")
    } else {
        text
    };
    Ok(Some(RawValue::from_string(line)?))
}

impl Event {
    /// The example in the document.
    fn example() -> serde_json::Value {
        serde_json::json!({
            "id": "0199a4b2-6c1d-7e3f-8a90-1b2c3d4e5f60", "type": "PlaybackProgressed", "playback_id": "playback-42",
            "user_id": "user-7", "track_id": "track-3", "occurred_at": "2026-11-23T10:00:10.000Z",
            "ingest_time": "2026-11-23T10:00:10.130Z", "store_time": "2026-11-23T10:00:10.217Z", "test_id": null,
            "source": "ess/command-api", "schemaversion": 1, "position": "7:1234",
            "data": { "user_id": "user-7", "track_id": "track-3", "seq": 1, "from_ms": 0, "to_ms": 10_000 }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(event: StoredEvent) -> String {
        serde_json::to_string(&Event::try_from(event).unwrap()).unwrap()
    }

    #[test]
    fn data_are_written_as_they_were_sent_on_one_line() {
        let written = json(StoredEvent {
            event_id: "e1".to_owned(),
            data: "{\n  \"big\": 12345678901234567890.10,\r\n  \"text\": \"a\\nb\"\n}".to_owned(),
            partition: 7,
            offset: 12,
            ..StoredEvent::default()
        });
        assert!(
            written.contains(r#""data":{   "big": 12345678901234567890.10,    "text": "a\nb" }"#),
            "{written}"
        );
        assert!(
            written.contains(r#""position":"7:12""#) && !written.contains('\n'),
            "{written}"
        );
    }

    #[test]
    fn missing_values_are_null_or_absent() {
        let written: serde_json::Value =
            serde_json::from_str(&json(StoredEvent::default())).unwrap();
        assert!(written["playback_id"].is_null() && written["data"].is_null());
        assert_eq!(written["store_time"], "1970-01-01T00:00:00.000Z");
        assert!(written.get("data_base64").is_none() && written.get("extensions").is_none());
    }

    #[test]
    fn binary_data_are_written_in_base64() {
        let written = json(StoredEvent {
            datacontenttype: "image/png".to_owned(),
            data_base64: "AAEC".to_owned(),
            ..StoredEvent::default()
        });
        assert!(
            written.ends_with(r#""data":null,"datacontenttype":"image/png","data_base64":"AAEC"}"#),
            "{written}"
        );
    }
}
