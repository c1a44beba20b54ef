//! Every test of schema that needs no private item, in one binary: each further binary is linked on its own.

mod decode;
mod fold;
mod generate;
mod golden;
mod kafka_record;
mod rollup;
