//! The lag of events from ingest to storage. Of messages with one identity the first in the log counts; by test run, the first of
//! each run. A message that repeats an identity with another time counts again if the first was ingested before the window: to know
//! better, the query would have to read every identity.

use clickhouse::Row;
use ess_schema::{
    TestId,
    time::{MAX_AHEAD_MS, MAX_BEHIND_MS},
};
use serde::Deserialize;

use super::{Select, Sql};
use crate::question::{MAX_LAG_ROWS, Window};

/// Selects the lag of the events ingested in a window, of all or by group.
#[derive(Debug)]
pub(crate) struct LagQuery {
    pub(crate) window: Window,
    /// Only of this test run.
    pub(crate) test_id: Option<TestId>,
    /// A row for each test run.
    pub(crate) by_test_id: bool,
    /// A row for each time bucket of this length, aligned to 1970.
    pub(crate) bucket_ms: Option<i64>,
}

/// The lag in ms of one test run or of all, in one bucket or in the entire window.
#[derive(Debug, Clone, PartialEq, Row, Deserialize)]
pub(crate) struct LagRow {
    /// The start of the bucket in ms since the epoch; 0 without buckets.
    pub(crate) bucket: i64,
    /// Empty for events without a test run, and without grouping by test run.
    pub(crate) run: String,
    pub(crate) events: u64,
    /// 50, 90 and 99 percent.
    pub(crate) quantiles: Vec<f64>,
    pub(crate) longest: i64,
}

impl Select for LagQuery {
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
        // The inner IN finds the events of the window by the index on ingest_time. Their repetitions may have any ingest time, but
        // the same occurred_at, which the table is sorted by. Both times are one number, because its state costs a third of that of
        // a tuple: 3 million events take 7 s on a busy machine, not 21 s, and 0.8 GB.
        let text = format!(
            "\
WITH toInt64(bitShiftRight(times, 64)) AS ingested_at, toInt64(toUInt64(times)) AS stored_at
SELECT {bucket} AS bucket, {run} AS run, count() AS events,
    quantilesExactInclusive(0.5, 0.9, 0.99)(stored_at - ingested_at) AS quantiles, max(stored_at - ingested_at) AS longest
FROM (
    SELECT {test_id} AS run_id,
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
            .bind("most", MAX_LAG_ROWS as i64 + 1);
        if let Some(ms) = self.bucket_ms {
            sql = sql.bind("bucket_ms", ms);
        }
        if let Some(test_id) = &self.test_id {
            sql = sql.bind("test_id", test_id.as_str());
        }
        sql
    }
}

/// The conditions on occurred_at follow from the window; the sort key can use them.
const IN_WINDOW: &str = "\
ingest_time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ingest_time < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
        AND occurred_at >= fromUnixTimestamp64Milli(greatest({from:Int64} - {behind:Int64}, 0), 'UTC')
        AND occurred_at <= fromUnixTimestamp64Milli({to:Int64} + {ahead:Int64}, 'UTC')";

impl LagQuery {
    fn bucket(&self) -> &'static str {
        if self.bucket_ms.is_some() {
            "intDiv(ingested_at, {bucket_ms:Int64}) * {bucket_ms:Int64}"
        } else {
            "toInt64(0)"
        }
    }

    /// The expressions of the run of a row, of the run of an event, and of the keys to group by before the identity.
    fn run(&self) -> (&'static str, &'static str, &'static str) {
        if self.by_test_id {
            ("toString(run_id)", "e.test_id", "e.test_id, ")
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
        let lag = LagQuery {
            window: window(),
            test_id: None,
            by_test_id: false,
            bucket_ms: None,
        };
        insta::assert_snapshot!(shown(&lag.to_sql()));
    }

    #[test]
    fn one_test_run_over_time() {
        let lag = LagQuery {
            window: window(),
            test_id: Some(TestId::new("load'1").unwrap()),
            by_test_id: true,
            bucket_ms: Some(60_000),
        };
        insta::assert_snapshot!(shown(&lag.to_sql()));
    }
}
