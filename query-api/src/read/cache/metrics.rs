//! Metrics of the cache. The share of lookups without a query of their own is
//! `sum(rate(ess_query_cache_lookups_total{result!="miss"}[5m])) / sum(rate(ess_query_cache_lookups_total[5m]))`.

use metrics::{Counter, Gauge};
use moka::notification::RemovalCause;

const LOOKUPS: &str = "ess_query_cache_lookups_total";
const EVICTIONS: &str = "ess_query_cache_evictions_total";
const BYTES: &str = "ess_query_cache_bytes";

/// Handles of the metrics: looking one up takes a lock.
#[derive(Debug)]
pub(super) struct CacheMetrics {
    /// Cached answers.
    pub(super) hits: Counter,
    /// Answers of queries that another caller started.
    pub(super) shared: Counter,
    /// Answers of queries that the caller started.
    pub(super) misses: Counter,
    expired: Counter,
    displaced: Counter,
    bytes: Gauge,
}

impl CacheMetrics {
    pub(super) fn new() -> Self {
        metrics::describe_counter!(
            LOOKUPS,
            "lookups by result: hit (cached), shared (joined a query in flight), or miss (started a query)"
        );
        metrics::describe_counter!(
            EVICTIONS,
            "evicted answers: expired, or displaced to stay below CACHE_MAX_BYTES"
        );
        metrics::describe_gauge!(BYTES, metrics::Unit::Bytes, "bytes of the cached answers");
        Self {
            hits: metrics::counter!(LOOKUPS, "result" => "hit"),
            shared: metrics::counter!(LOOKUPS, "result" => "shared"),
            misses: metrics::counter!(LOOKUPS, "result" => "miss"),
            expired: metrics::counter!(EVICTIONS, "cause" => "expired"),
            displaced: metrics::counter!(EVICTIONS, "cause" => "displaced"),
            bytes: metrics::gauge!(BYTES),
        }
    }

    /// Records that an answer of this size was stored.
    pub(super) fn added(&self, bytes: u32) {
        self.bytes.increment(f64::from(bytes));
    }

    /// Records that an answer of this size was removed.
    pub(super) fn removed(&self, bytes: u32, cause: RemovalCause) {
        self.bytes.decrement(f64::from(bytes));
        match cause {
            RemovalCause::Expired => self.expired.increment(1),
            RemovalCause::Size => self.displaced.increment(1),
            RemovalCause::Explicit | RemovalCause::Replaced => {}
        }
    }
}
