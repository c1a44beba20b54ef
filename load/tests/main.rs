//! The integration tests of ess-load, linked into one binary, because linking each takes long.
#![allow(clippy::unwrap_used)]

mod command_api;
mod facts;
mod k6;
mod kafka;
mod players;
mod run;
mod simulator;
