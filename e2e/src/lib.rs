//! ESS as a client sees it: the built binaries as processes, real Kafka, real ClickHouse, HTTP. Knows the services only by
//! their configuration keys and routes; never links their code.
//!
//! [`TestApp::shared`] is for tests that append facts and query them: give every test ids of its own (see [`unique`]).
//! [`TestApp::start`] is for tests that stop a process, change the configuration, or count all events: each starts three
//! processes, which takes two seconds. [`TestApp::builder`] starts only some of the services, or starts them on their own
//! [`Parts`], for tests that kill a server.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, a step that fails is the failure of the test"
)]

mod answer;
mod app;
mod binary;
mod eventually;
mod expected;
mod parts;
mod read_model;
mod service;
mod topic;
mod zone;

pub use answer::{Answer, Http};
pub use app::{Builder, TestApp};
pub use binary::path as binary_path;
pub use eventually::{DEADLINE, eventually, eventually_within};
pub use expected::{event_json, playback_json};
pub use parts::Parts;
pub use read_model::insert_events;
pub use service::Service;
pub use topic::{Record, Topic};
pub use zone::Zone;

/// An id that no other test uses: `<name>-<random>`.
pub fn unique(name: &str) -> String {
    format!("{name}-{}", uuid::Uuid::new_v4().simple())
}
