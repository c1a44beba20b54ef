//! The write side of ESS: accepts commands and events over HTTP, and appends them to Kafka. It must never read the log or the
//! read model (invariant I7), and never answer 2xx before the broker has acknowledged every record of the request (I1).
//!
//! A POST passes `api` → `append_handler` → `body` → `decode` → `kafka` → `response`; `app` wires them.
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
