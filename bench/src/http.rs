//! HTTP as the benchmarks speak it: one client for ESS and its yardsticks alike, and both as processes.

pub(crate) mod client;
pub(crate) mod latencies;
pub(crate) mod noop;
pub(crate) mod open;
pub(crate) mod service;
