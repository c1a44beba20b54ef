//! Decodes items and Kafka records of every accepted shape into [`Event`](crate::Event). Each shape only fills a `Draft`;
//! the rules that make an event valid are in one place, `Draft::assemble`.

mod binary;
mod cloudevent;
mod command;
mod draft;
mod flat;
mod headers;
mod item;
mod record;
mod untyped;

pub use binary::{is_json_media_type, structured_json};
pub use headers::Headers;
pub use item::{AcceptedShapes, Item, Shape, decode_item};
pub use record::{KafkaRecord, Rejection, decode_record};

use crate::id::EventId;
use crate::time::Timestamp;

/// What the receiver adds to an event: the ingest time and, for a request, a missing id.
pub enum ReceiveContext<'f> {
    /// An HTTP request: the event is ingested now, and an item without an id gets one.
    Request {
        /// The ingest time.
        received_at: Timestamp,
        /// Generates the id of an item without one.
        generate_id: &'f mut dyn FnMut() -> EventId,
    },
    /// A Kafka record: its own ingest time counts, else the record's timestamp; an id is required.
    Kafka {
        /// The record's timestamp.
        timestamp: Timestamp,
    },
}
