//! The connection to Kafka: appends events, and reports whether that is possible. It must never consume (invariant I7).

pub(crate) mod append;
mod batch;
pub(crate) mod connection;
pub(crate) mod producer;
