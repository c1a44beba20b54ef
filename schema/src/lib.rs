//! The domain of ESS: events and commands with their validation, the envelope of a Kafka record, the ClickHouse rows and SQL,
//! and the pure fold that is the oracle of every projector and query test.
//! Never does I/O: no sockets, no files, no clock, no randomness.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod columns;
pub mod decode;
pub mod event;
pub mod fold;
pub mod id;
pub mod json;
pub mod merged;
pub mod migrations;
pub mod playback;
pub mod position;
pub mod record;
pub mod rollup;
pub mod row;
pub mod time;
pub mod upcast;
pub mod violation;

pub use crate::event::{Event, EventData};
pub use crate::id::{EventId, EventType, PlaybackId, Source, TestId, TrackId, UserId};
pub use crate::position::Position;
pub use crate::time::Timestamp;
pub use crate::violation::Violation;
