//! The write side: takes commands and events over HTTP, and appends them to the log. It must never read the log or the
//! read model (invariant I7), and never say 2xx before the broker has acknowledged every record concerned (I1).
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod admission;
mod answer;
mod api;
pub mod app;
mod binary_mode;
mod body;
mod config;
mod errors;
#[cfg(test)]
mod fuzz;
mod ids;
mod ingest;
mod intake;
mod log;
mod measure;
mod media;
pub mod openapi;
mod upload;

pub use config::Config;
