//! Real Kafka and ClickHouse on a machine without Docker: downloaded once, started as processes, and always stopped.
//! For development and tests; no service may depend on this crate.
//!
//! ```no_run
//! use ess_parts::{ClickHouse, ClickHouseConfig, Kafka, KafkaConfig, Scratch, fetch};
//!
//! let parts = fetch()?;
//! let scratch = Scratch::new()?;
//! let mut kafka = Kafka::start(&parts, KafkaConfig::attached(scratch.path()))?;
//! let clickhouse = ClickHouse::start(&parts, ClickHouseConfig::attached(scratch.path()))?;
//! println!("{} {}", kafka.bootstrap(), clickhouse.http_url());
//! kafka.kill()?;
//! kafka.restart()?; // same port, same data
//! # Ok::<(), ess_parts::Error>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod child;
mod clickhouse;
mod download;
mod error;
mod fetch;
mod identity;
mod kafka;
mod kafka_files;
mod kafka_probe;
mod maven;
mod npm;
pub mod ports;
mod process;
pub mod progress;
mod scratch;
mod supervisor;
pub mod tools;
pub mod versions;
mod wait;

pub use clickhouse::{ClickHouse, ClickHouseConfig};
pub use error::{Error, Result};
pub use fetch::{Downloads, Parts, fetch, project_root};
pub use identity::Identity;
pub use kafka::{Kafka, KafkaConfig};
pub use process::{Launch, Lifetime, Process, Stopped, tail};
pub use scratch::Scratch;
pub use wait::until;
