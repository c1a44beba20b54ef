//! The write side: takes commands and events over HTTP, and appends them to the log. It must never read the log or the
//! read model (invariant I7), and never say 2xx before the broker has acknowledged every record concerned (I1).
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod admission;
mod api;
pub mod app;
mod append_handler;
mod body;
mod config;
mod decode;
mod errors;
#[cfg(test)]
mod fuzz;
mod kafka;
mod metrics;
pub mod openapi;
mod response;

pub use config::Config;
