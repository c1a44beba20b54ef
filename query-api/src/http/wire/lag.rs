//! The JSON of a lag: how long events took from acceptance to storage.

use ess_schema::{TestId, Timestamp};
use poem_openapi::registry::MetaSchema;
use serde::Serialize;

use super::{Described, described::document};

/// A duration in ms, with a fraction where it is interpolated; negative where clocks differ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Interpolated(pub(crate) f64);

impl Described for Interpolated {
    fn schema() -> MetaSchema {
        MetaSchema::new_with_format("number", "double")
    }
}

document! {
    /// How long the events that were accepted in a span of time took until they were stored, in ms. Each event counts once, by its
    /// first storage, however often it was sent. Negative only where clocks differ. The quantiles are exact, interpolated between
    /// the two nearest values (method R-7, as in NumPy and spreadsheets).
    pub(crate) struct Lag {
        /// The test run; null for events without a test run and, without `by=test_id`, for all events together.
        pub(crate) test_id: Option<TestId>,
        /// The events were accepted at this time or later.
        pub(crate) from: Timestamp,
        /// The events were accepted before this time.
        pub(crate) to: Timestamp,
        /// The number of events.
        pub(crate) count: u64,
        /// The median.
        pub(crate) p50_ms: Option<Interpolated>,
        /// The 90th percentile.
        pub(crate) p90_ms: Option<Interpolated>,
        /// The 99th percentile.
        pub(crate) p99_ms: Option<Interpolated>,
        /// The maximum.
        pub(crate) max_ms: Option<i64>,
    }
}

impl Lag {
    /// The example in the document.
    fn example() -> serde_json::Value {
        serde_json::json!({
            "test_id": "load-2026-11-23", "from": "2026-11-23T10:00:00.000Z", "to": "2026-11-23T10:01:00.000Z",
            "count": 210_000, "p50_ms": 61.0, "p90_ms": 104.0, "p99_ms": 187.5, "max_ms": 412
        })
    }
}
