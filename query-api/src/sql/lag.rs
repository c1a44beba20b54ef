//! How long events took from being accepted to being stored. Of messages that repeat one identity the first in the log counts, as
//! everywhere, but of a test run the first of that run; one that repeats an identity under another time counts once more if the
//! first was accepted before the window, because it cannot be known without looking at every identity there is.

use clickhouse::Row;
use ess_schema::{
    TestId,
    time::{MAX_AHEAD_MS, MAX_BEHIND_MS},
};
use serde::Deserialize;

use super::{Select, Sql};
use crate::question::{MOST_LAG_ROWS, Window};

/// The lag of the events accepted in a window: of all together, or of parts of them.
#[derive(Debug)]
pub(crate) struct Lag {
    pub(crate) window: Window,
    /// Only of this test run.
    pub(crate) test_id: Option<TestId>,
    /// A row for each test run.
    pub(crate) by_test_id: bool,
    /// A row for each span of so many ms, counted from 1970.
    pub(crate) bucket_ms: Option<i64>,
}

/// The lag of one test run or of all, in one bucket or in the whole window. In ms.
#[derive(Debug, Clone, PartialEq, Row, Deserialize)]
pub(crate) struct LagRow {
    /// Where the bucket begins, in ms since the epoch; 0 without buckets.
    pub(crate) bucket: i64,
    /// Empty for events of no test run, or when it was not asked by test run.
    pub(crate) run: String,
    pub(crate) events: u64,
    /// 50, 90 and 99 percent.
    pub(crate) quantiles: Vec<f64>,
    pub(crate) longest: i64,
}

impl Select for Lag {
    type Row = LagRow;
    const NAME: &'static str = "lag";
    const UNBOUNDED: bool = true;

    fn to_sql(&self) -> Sql {
        let bucket = self.bucket();
        let (run, test_id, grouped) = self.run();
        let of_run = self.test_id.as_ref().map_or(["", ""], |_| {
            [
                " AND test_id = {test_id:String}",
                " AND e.test_id = {test_id:String}",
            ]
        });
        let [of_run, of_run_twice] = of_run;
        // The inner IN finds what the window holds by the index on ingest_time. Repetitions of it may have been accepted at any
        // time, but they occurred when it did, and by that the table is sorted. The two times are one number, because a state of
        // one number is a third of what a tuple costs: 3 million events take 7 s on a busy machine, not 21, and 0.8 GB.
        let text = format!(
            "\
WITH toInt64(bitShiftRight(times, 64)) AS ingested_at, toInt64(toUInt64(times)) AS stored_at
SELECT {bucket} AS bucket, {run} AS run, count() AS events,
    quantilesExactInclusive(0.5, 0.9, 0.99)(stored_at - ingested_at) AS quantiles, max(stored_at - ingested_at) AS longest
FROM (
    SELECT {test_id} AS told_of,
        argMax(bitShiftLeft(toUInt128(toUnixTimestamp64Milli(e.ingest_time)), 64) + toUInt64(toUnixTimestamp64Milli(e.store_time)), e.log_rank) AS times
    FROM events AS e
    WHERE e.occurred_at IN (SELECT occurred_at FROM events WHERE {IN_WINDOW}{of_run}){of_run_twice}
    GROUP BY {grouped}e.event_key
)
WHERE ingested_at >= {{from:Int64}} AND ingested_at < {{to:Int64}}
GROUP BY bucket, run
ORDER BY bucket, run
LIMIT {{most:UInt32}}"
        );
        let mut sql = Sql::new(text)
            .bind("from", self.window.from.as_millis())
            .bind("to", self.window.to.as_millis())
            .bind("ahead", MAX_AHEAD_MS)
            .bind("behind", MAX_BEHIND_MS)
            .bind("most", MOST_LAG_ROWS as i64 + 1);
        if let Some(ms) = self.bucket_ms {
            sql = sql.bind("bucket_ms", ms);
        }
        if let Some(test_id) = &self.test_id {
            sql = sql.bind("test_id", test_id.as_str());
        }
        sql
    }
}

/// The times of occurrence follow from the window, and the sort key understands them.
const IN_WINDOW: &str = "\
ingest_time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ingest_time < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
        AND occurred_at >= fromUnixTimestamp64Milli(greatest({from:Int64} - {behind:Int64}, 0), 'UTC')
        AND occurred_at <= fromUnixTimestamp64Milli({to:Int64} + {ahead:Int64}, 'UTC')";

impl Lag {
    fn bucket(&self) -> &'static str {
        if self.bucket_ms.is_some() {
            "intDiv(ingested_at, {bucket_ms:Int64}) * {bucket_ms:Int64}"
        } else {
            "toInt64(0)"
        }
    }

    /// The run of a row, that of an event, and what an event is grouped by beside its identity.
    fn run(&self) -> (&'static str, &'static str, &'static str) {
        if self.by_test_id {
            ("toString(told_of)", "e.test_id", "e.test_id, ")
        } else {
            ("''", "''", "")
        }
    }
}

#[cfg(test)]
mod tests {
    use ess_schema::Timestamp;

    use super::*;
    use crate::sql::shown;

    fn window() -> Window {
        let at = |text| Timestamp::parse_rfc3339(text).unwrap();
        Window {
            from: at("2026-11-23T10:00:00Z"),
            to: at("2026-11-23T10:15:00Z"),
        }
    }

    #[test]
    fn all_events_of_a_window_together() {
        let lag = Lag {
            window: window(),
            test_id: None,
            by_test_id: false,
            bucket_ms: None,
        };
        insta::assert_snapshot!(shown(&lag.to_sql()));
    }

    #[test]
    fn one_test_run_over_time() {
        let lag = Lag {
            window: window(),
            test_id: Some(TestId::new("load'1").unwrap()),
            by_test_id: true,
            bucket_ms: Some(60_000),
        };
        insta::assert_snapshot!(shown(&lag.to_sql()));
    }
}
