//! Decodes a record into an event, or into a dead letter with a reason (I5). Pure; the schema defines the rules. It must never
//! drop a record.

use ess_schema::{
    Event, Position, Timestamp,
    decode::{KafkaRecord, decode_record},
};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders, OwnedMessage};

/// The result for a record; there is no other.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are events, and each is consumed at once"
)]
pub(crate) enum Outcome {
    Event(Event),
    DeadLetter(DeadLetter),
}

/// A record that cannot become a row, and the reason.
#[derive(Debug)]
pub(crate) struct DeadLetter {
    /// The complete record.
    pub(crate) record: OwnedMessage,
    /// The reason code, one of a fixed set.
    pub(crate) code: &'static str,
    /// The reason as text.
    pub(crate) reason: String,
}

/// The reason code of a row that ClickHouse refused; the other codes are those of `ess_schema::decode::Rejection`.
pub(crate) const REFUSED: &str = "refused-by-read-model";

/// Decodes a record.
pub(crate) fn decode<M: Message>(record: &M) -> Outcome {
    let message = KafkaRecord {
        payload: record.payload(),
        headers: RecordHeaders(record.headers()),
        timestamp: timestamp(record),
    };
    match decode_record(&message) {
        Ok(event) => Outcome::Event(event),
        Err(rejection) => Outcome::DeadLetter(DeadLetter {
            record: owned(record),
            code: rejection.code(),
            reason: rejection.to_string(),
        }),
    }
}

/// The position of a record. The consumer refuses topics with more partitions than a position can represent.
pub(crate) fn position<M: Message>(record: &M) -> Position {
    Position {
        partition: record.partition() as u16,
        offset: record.offset() as u64,
    }
}

/// The record's timestamp, limited to the range that ESS can store. A record without a timestamp gets 1970, so that every replay
/// decodes it in the same way; only an event with its own ingest time is valid then.
fn timestamp<M: Message>(record: &M) -> Timestamp {
    let millis = record.timestamp().to_millis().unwrap_or_default();
    Timestamp::EPOCH.plus_millis(millis)
}

fn owned<M: Message>(record: &M) -> OwnedMessage {
    let headers = record.headers().map(|headers| {
        let all = OwnedHeaders::new_with_capacity(headers.count());
        headers.iter().fold(all, |all, Header { key, value }| {
            all.insert(Header { key, value })
        })
    });
    OwnedMessage::new(
        record.payload().map(<[u8]>::to_vec),
        record.key().map(<[u8]>::to_vec),
        record.topic().to_owned(),
        record.timestamp(),
        record.partition(),
        record.offset(),
        headers,
    )
}

impl DeadLetter {
    /// Approximate memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let record = &self.record;
        let headers = record.headers().into_iter().flat_map(Headers::iter);
        let headers: usize = headers
            .map(|header| header.key.len() + header.value.map_or(0, <[u8]>::len))
            .sum();
        let payload = record.payload().map_or(0, <[u8]>::len);
        let key = record.key().map_or(0, <[u8]>::len);
        size_of::<Self>() + payload + key + headers + self.reason.len()
    }
}

struct RecordHeaders<'m, H>(Option<&'m H>);

impl<H: Headers> ess_schema::decode::Headers for RecordHeaders<'_, H> {
    fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self
            .0?
            .iter()
            .find(|header| header.key.eq_ignore_ascii_case(name));
        found?.value
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        for header in self.0.into_iter().flat_map(Headers::iter) {
            visit(header.key, header.value.unwrap_or_default());
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const NOON: i64 = 1_795_000_000_000;

    pub(crate) fn record(payload: Option<&str>, headers: &[(&str, &str)]) -> OwnedMessage {
        let headers = headers
            .iter()
            .fold(OwnedHeaders::new(), |all, (key, value)| {
                all.insert(Header {
                    key,
                    value: Some(*value),
                })
            });
        OwnedMessage::new(
            payload.map(|text| text.as_bytes().to_vec()),
            Some(b"key".to_vec()),
            "log".to_owned(),
            rdkafka::Timestamp::CreateTime(NOON),
            7,
            1234,
            Some(headers),
        )
    }

    fn event(record: &OwnedMessage) -> Event {
        match decode(record) {
            Outcome::Event(event) => event,
            Outcome::DeadLetter(letter) => panic!("{}", letter.reason),
        }
    }

    #[test]
    fn an_untyped_record_becomes_an_event_with_the_records_timestamp() {
        let untyped = record(Some(r#"{"id":"e1","user_id":"u1","track_id":"t1"}"#), &[]);
        assert_eq!(position(&untyped).to_string(), "7:1234");
        assert_eq!(event(&untyped).ingest_time.as_millis(), NOON);
    }

    #[test]
    fn a_record_in_binary_mode_becomes_an_event() {
        let headers = [
            ("ce_specversion", "1.0"),
            ("ce_id", "e1"),
            ("ce_source", "elsewhere"),
            ("ce_type", "OrderShipped"),
        ];
        let event = event(&record(Some(r#"{"a":1}"#), &headers));
        assert_eq!(event.data.type_name(), "OrderShipped");
        assert_eq!(event.source.as_str(), "elsewhere");
    }

    #[test]
    fn an_unreadable_record_becomes_a_complete_dead_letter_with_a_reason() {
        let bad = record(Some("not json"), &[("h", "v")]);
        let Outcome::DeadLetter(letter) = decode(&bad) else {
            panic!("an unreadable record became an event");
        };
        assert_eq!(letter.code, "not-json");
        assert_eq!(letter.record.payload(), Some(b"not json".as_slice()));
        assert_eq!(letter.record.key(), Some(b"key".as_slice()));
        let header = letter.record.headers().unwrap().get(0);
        assert_eq!((header.key, header.value), ("h", Some(b"v".as_slice())));
        assert_eq!(
            (letter.record.partition(), letter.record.offset()),
            (7, 1234)
        );
    }

    #[test]
    fn a_tombstone_and_a_record_without_a_timestamp_become_dead_letters() {
        let tombstone = record(None, &[]);
        assert!(matches!(decode(&tombstone), Outcome::DeadLetter(l) if l.code == "tombstone"));
        let timeless = OwnedMessage::new(
            Some(
                br#"{"id":"e1","user_id":"u1","track_id":"t1","ingest_time":"2026-01-01"}"#
                    .to_vec(),
            ),
            None,
            "log".to_owned(),
            rdkafka::Timestamp::NotAvailable,
            0,
            0,
            None,
        );
        assert!(matches!(decode(&timeless), Outcome::DeadLetter(l) if l.code == "invalid"));
    }
}
