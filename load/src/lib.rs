//! The load tool: simulated players, and what sends their facts. [`simulate`], [`timeline`] and [`facts`] are pure — no clock, no
//! sockets, the same seed gives the same bytes — and serve tests as well; everything else belongs to the program, which
//! speaks to ESS as any client would and never links a service.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod cli;
pub mod facts;
pub mod simulate;
pub mod timeline;

mod error;
mod lane;
mod players;
mod progress;
mod schedule;
mod stop;
mod summary;
mod tally;
mod target;
