//! From text to [`Event`](crate::Event): every shape an item can come in, on one path. A shape only fills a `Draft`;
//! what makes an event valid is written once, in `Draft::assemble`.

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

/// What the receiver of an item adds to it.
pub enum ReceiveContext<'f> {
    /// A request: it is ingested now, and an item without an id gets one.
    Request {
        /// The moment of receipt.
        received_at: Timestamp,
        /// Makes the id of an item that has none.
        generate_id: &'f mut dyn FnMut() -> EventId,
    },
    /// A record of the log: its own ingest time counts, else the record's timestamp; an id is required.
    Kafka {
        /// The record's timestamp.
        timestamp: Timestamp,
    },
}
