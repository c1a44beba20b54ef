//! The SQL that writes rows of `playbacks`. Pure. It must never contain a value that a client sent.

use ess_schema::merged;

use super::lag::Lag;

/// The playbacks whose rows are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Selection<'l> {
    All,
    /// The playbacks of the missing events.
    Touched(&'l [Lag]),
}

/// The partitions of `playbacks_touched` from before yesterday.
pub(super) const OLD_TOUCHED: &str = "SELECT DISTINCT p.partition AS day FROM system.parts AS p \
    WHERE p.database = currentDatabase() AND p.table = 'playbacks_touched' AND p.active AND toDate(p.partition) < yesterday()";

/// Reads in the order of the key, so that memory does not grow with the number of playbacks; a playback can be of any day.
const SETTINGS: &str = "optimize_aggregation_in_order = 1, max_partitions_per_insert_block = 0";

/// Writes rows from the states. A playback's row has the day of its first event. As events arrive, that day can only become
/// earlier and the day of the last event later, so an older row can have any day in between. On each of those days the statement
/// writes a row that deletes it; its version is higher than that of the older row and lower than that of the new one.
pub(super) fn insert(selection: &Selection<'_>, version: u64) -> String {
    let columns = merged::COLUMNS.join(", ");
    let merged = merged::select_playbacks(&condition(selection));
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

fn condition(selection: &Selection<'_>) -> String {
    let Selection::Touched(lags) = selection else {
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
    fn only_the_touched_playbacks_are_written_unless_all_are_selected() {
        let lags = [(3, 7), (5, 0)].map(|(partition, from)| Lag {
            partition,
            from,
            to: 9,
        });
        let touched = insert(&Selection::Touched(&lags), 16);
        assert!(
            touched.contains(
                "WHERE p.playback_id IN (SELECT playback_id FROM playbacks_touched \
                 WHERE (partition = 3 AND offset >= 7) OR (partition = 5 AND offset >= 0))"
            ),
            "{touched}"
        );
        assert!(touched.contains("toUInt64(16) * 2 + (day"), "{touched}");
        assert!(insert(&Selection::All, 16).contains("WHERE 1\n"));
    }
}
