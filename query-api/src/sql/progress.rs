//! The progress of a generation.

use clickhouse::Row;
use serde::Deserialize;

use super::{Select, Sql};

/// Selects the progress of every partition with stored records.
#[derive(Debug)]
pub(crate) struct Progress;

/// Selects the progress of the rows of `playbacks`, which are rolled up a moment after the events.
#[derive(Debug)]
pub(crate) struct PlaybacksProgress;

/// The progress of one partition; times are ms since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Row, Deserialize)]
pub(crate) struct ProgressRow {
    pub(crate) partition: u16,
    pub(crate) next_offset: u64,
    pub(crate) last_ingest_time: i64,
    pub(crate) stored_at: i64,
}

fn progress(table: &str) -> Sql {
    let text = format!(
        "\
SELECT p.partition AS partition, max(p.next_offset) AS next_offset,
    max(p.last_ingest_time) AS last_ingest_time, max(p.stored_at) AS stored_at
FROM {table} AS p
GROUP BY p.partition
ORDER BY p.partition"
    );
    Sql::new(text).with(&[("max_threads", "1")])
}

impl Select for Progress {
    type Row = ProgressRow;
    const NAME: &'static str = "progress";
    const UNBOUNDED: bool = false;

    fn to_sql(&self) -> Sql {
        progress("projection_progress")
    }
}

impl Select for PlaybacksProgress {
    type Row = ProgressRow;
    const NAME: &'static str = "playbacks_progress";
    const UNBOUNDED: bool = false;

    fn to_sql(&self) -> Sql {
        progress("playbacks_progress")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::shown;

    #[test]
    fn the_progress_of_every_partition() {
        insta::assert_snapshot!(shown(&Progress.to_sql()));
    }
}
