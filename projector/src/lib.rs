//! The projector: folds the log into the read model. `pipeline.rs` shows the path of a record. It alone writes the tables of the
//! read model; it must never answer a question about playbacks or append to the log.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod app;
pub mod config;
pub mod dry_run;
pub mod generations;
pub mod init;
pub mod replay;
pub mod rollup;

mod batch;
mod command;
mod commit;
mod consume;
mod dead_letters;
mod decode;
mod generation_watch;
mod insert;
mod kafka;
mod memory;
mod metrics;
mod pipeline;
mod readiness;
mod retry;
mod status;

#[cfg(test)]
mod simulation;
