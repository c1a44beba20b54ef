//! The SQL that makes rows of `playbacks` again. Pure, and without a value that a client sent: those stay in the tables.

use ess_schema::merged;

use super::lag::Lag;

/// Of which playbacks rows are made again.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'l> {
    /// All.
    All,
    /// Those that the lacking events belong to.
    Touched(&'l [Lag]),
}

/// The days before yesterday that something is known of in `playbacks_touched`.
pub(super) const OLD_TOUCHED: &str = "SELECT DISTINCT p.partition AS day FROM system.parts AS p \
    WHERE p.database = currentDatabase() AND p.table = 'playbacks_touched' AND p.active AND toDate(p.partition) < yesterday()";

/// Read in the order of the key, so that memory does not grow with the playbacks; a playback can be old.
const SETTINGS: &str = "optimize_aggregation_in_order = 1, max_partitions_per_insert_block = 0";

/// Makes the rows again from the states. A playback is filed under the day of its first event. That day can only have become
/// earlier, and its last event's later, so the days in between are those that an older row may be filed under: there it is
/// deleted, by a row that is younger than any older one, and less than the row that stands.
pub(super) fn remake(which: &Which<'_>, version: u64) -> String {
    let columns = merged::COLUMNS.join(", ");
    let merged = merged::select_playbacks(&condition(which));
    format!(
        "INSERT INTO playbacks ({columns}, day, version, is_deleted)
SELECT {columns}, day, toUInt64({version}) * 2 + (day = toDate(first_event_at)) AS version, toUInt8(day != toDate(first_event_at)) AS is_deleted
FROM (
{merged}
)
ARRAY JOIN arrayMap(
    n -> addDays(toDate(first_event_at), n), range(toUInt32(toDate(last_event_at) - toDate(first_event_at)) + 1)) AS day
SETTINGS {SETTINGS}"
    )
}

fn condition(which: &Which<'_>) -> String {
    let Which::Touched(lags) = which else {
        return "1".to_owned();
    };
    let ranges: Vec<_> = lags
        .iter()
        .map(|lag| format!("(partition = {} AND offset >= {})", lag.partition, lag.from))
        .collect();
    format!(
        "p.playback_id IN (SELECT playback_id FROM playbacks_touched WHERE {})",
        ranges.join(" OR ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_touched_playbacks_are_made_again_unless_all_are() {
        let lags = [(3, 7), (5, 0)].map(|(partition, from)| Lag {
            partition,
            from,
            to: 9,
        });
        let touched = remake(&Which::Touched(&lags), 16);
        assert!(
            touched.contains(
                "WHERE p.playback_id IN (SELECT playback_id FROM playbacks_touched \
                 WHERE (partition = 3 AND offset >= 7) OR (partition = 5 AND offset >= 0))"
            ),
            "{touched}"
        );
        assert!(touched.contains("toUInt64(16) * 2 + (day"), "{touched}");
        assert!(remake(&Which::All, 16).contains("WHERE 1\n"));
    }
}
