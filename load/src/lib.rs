//! The load tool: simulates players, runs scenarios, proves that no fact was lost, and reports. A run goes through `scenario`,
//! [`facts`], `schedule`, `send`, `record`, `settle`, [`proof`] and [`report`]. [`simulate`], [`timeline`], [`facts`] and
//! [`scenario`] are pure: without a clock and sockets, the same seed gives the same bytes. Never links a service.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod cli;
pub mod facts;
pub mod http;
pub mod proof;
pub mod report;
pub mod scenario;
pub mod simulate;
pub mod timeline;
pub mod usage;

mod chaos;
mod clock;
mod error;
mod players;
mod read_model;
mod record;
mod run;
mod schedule;
mod send;
mod settle;
mod signals;
mod watch;
