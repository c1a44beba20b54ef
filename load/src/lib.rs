//! The load tool: simulated players and scenarios, what sends their facts, the proof that none was lost, and the report of it
//! all. [`simulate`], [`timeline`], [`facts`] and [`scenario`] are pure — no clock, no sockets, the same seed gives the same
//! bytes — and serve tests as well; everything else belongs to the program, which speaks to ESS as any client would and never
//! links a service.
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
mod lane;
mod players;
mod progress;
mod read_model;
mod record;
mod run;
mod schedule;
mod send;
mod settle;
mod signals;
mod tally;
mod target;
mod watch;
