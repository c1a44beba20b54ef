//! How long events took from being accepted to being stored, as it is answered.

use ess_schema::{TestId, Timestamp};
use poem_openapi::registry::MetaSchema;
use serde::Serialize;

use super::{Described, described::document};

/// A duration that interpolation may have given fractions, in ms; negative where clocks differ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Interpolated(pub(crate) f64);

impl Described for Interpolated {
    fn schema() -> MetaSchema {
        MetaSchema::new_with_format("number", "double")
    }
}

document! {
    /// How long the events accepted in a span of time took from then until they were stored, in ms. Each event counts once,
    /// whatever was sent or stored how often, with its first storing. Negative only where clocks differ. The quantiles are exact,
    /// interpolated between the two nearest values (method R-7, as in NumPy and spreadsheets).
    pub(crate) struct Lag {
        /// The test run; null for events of none, or, unless it was asked `by=test_id`, for all together.
        pub(crate) test_id: Option<TestId>,
        /// Accepted at this time or later.
        pub(crate) from: Timestamp,
        /// Accepted before this time.
        pub(crate) to: Timestamp,
        /// Events.
        pub(crate) count: u64,
        /// Half of them took at most as long.
        pub(crate) p50_ms: Option<Interpolated>,
        /// 90 percent of them took at most as long.
        pub(crate) p90_ms: Option<Interpolated>,
        /// 99 percent of them took at most as long.
        pub(crate) p99_ms: Option<Interpolated>,
        /// The longest.
        pub(crate) max_ms: Option<i64>,
    }
}

impl Lag {
    /// A lag as it may be answered, for the document.
    fn example() -> serde_json::Value {
        serde_json::json!({
            "test_id": "load-2026-11-23", "from": "2026-11-23T10:00:00.000Z", "to": "2026-11-23T10:01:00.000Z",
            "count": 210_000, "p50_ms": 61.0, "p90_ms": 104.0, "p99_ms": 187.5, "max_ms": 412
        })
    }
}
