//! Answers questions about playbacks and events from the read model, cached and documented. It must never write anything,
//! and never connect to Kafka (invariant I7).
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod app;
mod config;
mod http;
mod live;
mod question;
mod read;
mod sql;
mod table;

pub use config::Config;
