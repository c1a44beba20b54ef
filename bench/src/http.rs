//! HTTP load, and the HTTP services under load as processes: ESS and its yardsticks.

pub(crate) mod client;
pub(crate) mod latencies;
pub(crate) mod noop;
pub(crate) mod open;
pub(crate) mod service;
