//! Every end-to-end test in one binary, because each needs the same running parts. Its modules mirror the URLs; what
//! goes through all services is `whole_path`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accounted;
mod aggregates;
mod auth;
mod commands;
mod events;
mod load;
mod openapi;
mod oracle;
mod projection;
mod projector;
mod python;
mod rows;
mod shapes;
mod slow;
mod stats;
mod stored;
mod traffic;
mod whole_path;
