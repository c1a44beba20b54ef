//! Answers questions about playbacks and events from the read model, cached and documented. It must never write anything,
//! and never talk to the log (invariant I7).
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod accept;
mod answer;
mod api;
pub mod app;
mod cache;
mod config;
mod conflicts;
mod cursor;
#[cfg(test)]
mod fuzz;
mod live;
mod loader;
pub mod openapi;
mod ownership;
mod page;
mod parameters;
mod playbacks_page;
mod queries;
mod read_model;
mod report;
mod reports;
mod table;
mod watermark;
mod wire;

pub use config::Config;
