//! The integration tests of schema, in one binary, because each binary is linked on its own.
#![allow(clippy::unwrap_used, missing_docs)]

mod decode;
mod fold;
mod generate;
mod golden;
mod kafka_record;
mod rollup;
