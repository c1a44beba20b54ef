//! The number of identities with different messages in the log.

use std::time::Duration;

use clickhouse::Row;
use serde::Deserialize;

use super::{Select, Sql};

/// Counts the identities whose messages differ. Reads every identity, so callers must run it rarely.
#[derive(Debug)]
pub(crate) struct ConflictingIdentities;

/// The number of identities, and the time of the count in ms since the epoch.
#[derive(Debug, Clone, Copy, Row, Deserialize)]
pub(crate) struct ConflictsRow {
    pub(crate) identities: u64,
    pub(crate) counted_at: i64,
}

impl Select for ConflictingIdentities {
    type Row = ConflictsRow;
    const NAME: &'static str = "conflicting_identities";
    const UNBOUNDED: bool = false;
    /// No request waits for it. About four million identities take a second.
    const TIME: Option<Duration> = Some(Duration::from_mins(10));

    fn to_sql(&self) -> Sql {
        // FINAL: two messages may lie in parts that are not merged yet.
        let text = "\
SELECT count() AS identities, toUnixTimestamp64Milli(now64(3)) AS counted_at
FROM event_identities AS i FINAL
WHERE i.least_content != i.greatest_content";
        Sql::new(text).with(&[("max_threads", "1")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::shown;

    #[test]
    fn identities_are_compared_merged() {
        insta::assert_snapshot!(shown(&ConflictingIdentities.to_sql()));
    }
}
