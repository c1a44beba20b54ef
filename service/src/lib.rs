//! The code that all services share: configuration, telemetry, health, HTTP server, authentication, start and stop, and the
//! clients of Kafka and ClickHouse. It must never know what an event, a projection or a query is, nor depend on a service.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod auth;
pub mod clickhouse;
pub mod config;
pub mod health;
pub mod http;
pub mod kafka;
pub mod openapi;
pub mod problem;
pub mod process;
pub mod retry;
pub mod telemetry;
