//! What the cache tells of itself. The share of questions that cost no query of their own is
//! `sum(rate(ess_query_cache_lookups_total{result!="miss"}[5m])) / sum(rate(ess_query_cache_lookups_total[5m]))`.

use metrics::{Counter, Gauge};
use moka::notification::RemovalCause;

const LOOKUPS: &str = "ess_query_cache_lookups_total";
const EVICTIONS: &str = "ess_query_cache_evictions_total";
const BYTES: &str = "ess_query_cache_bytes";

/// Handles, looked up once: a name is found in the registry under a lock.
#[derive(Debug)]
pub(super) struct Measures {
    /// Answers told again.
    pub(super) hits: Counter,
    /// Answers of a query that another caller had begun.
    pub(super) shared: Counter,
    /// Answers of a query of their own.
    pub(super) misses: Counter,
    expired: Counter,
    displaced: Counter,
    bytes: Gauge,
}

impl Measures {
    pub(super) fn new() -> Self {
        metrics::describe_counter!(
            LOOKUPS,
            "answers by where they came from: hit (kept), shared (a query that another caller had begun), or miss (a query)"
        );
        metrics::describe_counter!(
            EVICTIONS,
            "answers no longer kept: expired, or displaced because all together would take more than CACHE_MAX_BYTES"
        );
        metrics::describe_gauge!(BYTES, metrics::Unit::Bytes, "what the cached answers take");
        Self {
            hits: metrics::counter!(LOOKUPS, "result" => "hit"),
            shared: metrics::counter!(LOOKUPS, "result" => "shared"),
            misses: metrics::counter!(LOOKUPS, "result" => "miss"),
            expired: metrics::counter!(EVICTIONS, "cause" => "expired"),
            displaced: metrics::counter!(EVICTIONS, "cause" => "displaced"),
            bytes: metrics::gauge!(BYTES),
        }
    }

    /// An answer is kept that takes so much.
    pub(super) fn added(&self, bytes: u32) {
        self.bytes.increment(f64::from(bytes));
    }

    /// An answer that took so much is kept no longer.
    pub(super) fn removed(&self, bytes: u32, cause: RemovalCause) {
        self.bytes.decrement(f64::from(bytes));
        match cause {
            RemovalCause::Expired => self.expired.increment(1),
            RemovalCause::Size => self.displaced.increment(1),
            RemovalCause::Explicit | RemovalCause::Replaced => {}
        }
    }
}
