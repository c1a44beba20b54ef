//! Every end-to-end test in one binary, because all share the same servers. The modules mirror the URLs; `whole_path`
//! covers the way through all services.
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
