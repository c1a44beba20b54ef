//! One raw event as it is answered: its envelope and its data, embedded as they were sent.

mod table;

use ess_schema::{Position, Timestamp, time::InvalidTime};
use serde_json::value::RawValue;

use super::described::document;
use crate::sql::{InvalidRow, StoredEvent};

document! {
    /// A fact in the log. Two events are the same if their id and source are.
    pub(crate) struct Event {
        /// Unique within the source.
        pub(crate) id: String,
        /// What happened, e.g. PlaybackStarted.
        pub(crate) r#type: String,
        /// The playback it belongs to.
        pub(crate) playback_id: Option<String>,
        /// The listener.
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
        /// Who says so.
        pub(crate) source: String,
        /// The version its data were written in.
        pub(crate) schemaversion: u16,
        /// Where the log holds it: partition:offset.
        pub(crate) position: String,
        /// What it says, as it was sent: any JSON.
        pub(crate) data: Option<Box<RawValue>>,
        /// The media type of data that is not JSON.
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

/// JSON text as it is, on one line: inside a string a line break is always escaped, so those that stand there are only white
/// space, and would end a line of NDJSON.
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
    /// An event as it may be answered, for the document.
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
    fn data_are_told_as_they_were_sent_on_one_line() {
        let told = json(StoredEvent {
            event_id: "e1".to_owned(),
            data: "{\n  \"big\": 12345678901234567890.10,\r\n  \"text\": \"a\\nb\"\n}".to_owned(),
            partition: 7,
            offset: 12,
            ..StoredEvent::default()
        });
        assert!(
            told.contains(r#""data":{   "big": 12345678901234567890.10,    "text": "a\nb" }"#),
            "{told}"
        );
        assert!(
            told.contains(r#""position":"7:12""#) && !told.contains('\n'),
            "{told}"
        );
    }

    #[test]
    fn what_an_event_does_not_have_is_null_or_absent() {
        let told: serde_json::Value = serde_json::from_str(&json(StoredEvent::default())).unwrap();
        assert!(told["playback_id"].is_null() && told["data"].is_null());
        assert_eq!(told["store_time"], "1970-01-01T00:00:00.000Z");
        assert!(told.get("data_base64").is_none() && told.get("extensions").is_none());
    }

    #[test]
    fn binary_data_are_told_in_base64() {
        let told = json(StoredEvent {
            datacontenttype: "image/png".to_owned(),
            data_base64: "AAEC".to_owned(),
            ..StoredEvent::default()
        });
        assert!(
            told.ends_with(r#""data":null,"datacontenttype":"image/png","data_base64":"AAEC"}"#),
            "{told}"
        );
    }
}
