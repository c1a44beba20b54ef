//! Ages of events as exact quantiles. Never estimated from buckets or samples.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use crate::median::quantile;

/// Quantiles of ages, ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Row, Serialize, Deserialize)]
pub(super) struct Ages {
    pub(super) facts: u64,
    pub(super) median: i64,
    pub(super) p90: i64,
    pub(super) p99: i64,
    pub(super) max: i64,
}

impl Ages {
    /// The values in the order of the table.
    pub(super) fn columns(self) -> [i64; 5] {
        let facts = i64::try_from(self.facts).unwrap_or(i64::MAX);
        [facts, self.median, self.p90, self.p99, self.max]
    }

    /// Summarizes ages.
    pub(super) fn of(mut ages: Vec<i64>) -> Self {
        ages.sort_unstable();
        let at = |level| quantile(&ages, level);
        Self {
            facts: ages.len() as u64,
            median: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: at(1.0),
        }
    }

    /// The query for the ages of the events with this test id in one generation.
    pub(super) fn query(generation: &str, test_id: &str) -> String {
        format!(
            "SELECT count() AS facts, quantileExact(0.5)(age) AS median, quantileExact(0.9)(age) AS p90, \
             quantileExact(0.99)(age) AS p99, max(age) AS max FROM (SELECT toUnixTimestamp64Milli(store_time) \
             - toUnixTimestamp64Milli(ingest_time) AS age FROM {generation}.events WHERE test_id = '{test_id}')"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_measured_ages() {
        let ages = Ages::of((1..=100).rev().collect());
        assert_eq!(ages.columns(), [100, 51, 91, 100, 100]);
        assert_eq!(Ages::of(vec![7]).columns(), [1, 7, 7, 7, 7]);
        assert_eq!(Ages::of(Vec::new()).columns(), [0, 0, 0, 0, 0]);
    }
}
