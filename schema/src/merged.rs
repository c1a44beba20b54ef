//! The SQL that merges the states of `playbacks_state` into the values of playbacks: the one text for all readers.
//! schema/sql/generation/0003_playbacks_state.sql creates the table and documents the states.

/// The columns that [`select_playbacks`] selects, in its order.
pub const COLUMNS: [&str; 31] = [
    "playback_id",
    "user_id",
    "track_id",
    "device",
    "platform",
    "app_version",
    "country",
    "plan",
    "context",
    "test_id",
    "startup_ms",
    "started_at",
    "first_event_at",
    "last_event_at",
    "ended_at",
    "end_reason",
    "played_ms",
    "unique_ms",
    "max_position_ms",
    "track_duration_ms",
    "paused_ms",
    "stalled_ms",
    "pause_count",
    "stall_count",
    "seek_count",
    "failure_count",
    "event_count",
    "max_seq",
    "distinct_seqs",
    "state",
    "ingest_to_store_ms",
];

/// The query for the playbacks whose states meet `condition`, an expression over the row `p` of `playbacks_state`; one row for each.
/// Empty text means that no event carried the value. A playback without an end has 1970 and no reason.
pub fn select_playbacks(condition: &str) -> String {
    let columns = columns();
    format!(
        "SELECT\n    {columns}\nFROM (\n{MERGED}\n    WHERE {condition}\n    GROUP BY p.playback_id\n)"
    )
}

/// The subquery that merges the states.
const MERGED: &str = "\
    SELECT
        p.playback_id AS playback_id,
        minMerge(p.origin) AS origin,
        splitByChar('\\0', substring(origin, 9)) AS named_first,
        groupUniqArrayMerge(p.marks) AS marks,
        arrayConcat(
            if(origin = '', [], [(fromUnixTimestamp64Milli(toInt64(bitXor(byteSwap(reinterpretAsUInt64(substring(origin, 1, 8))), \
0x8000000000000000)), 'UTC'), named_first[1], named_first[2], named_first[3], named_first[4])]),
            arrayMap(m -> (m.occurred_at, m.event_id, m.source, m.user_id, m.track_id), marks)) AS named,
        arraySort(arrayMap(m -> (m.occurred_at, m.event_id, m.source, m.end_reason), arrayFilter(m -> m.end_reason != '', marks)))[-1] AS ending,
        splitByChar('\\0', minMerge(p.test_id))[-1] AS test_id,
        splitByChar('\\0', maxMerge(p.state))[-1] AS state,
        min(p.started_at) AS started_at,
        min(p.first_event_at) AS first_event_at,
        max(p.last_event_at) AS last_event_at,
        maxMap(p.measures) AS measures,
        intervalLengthSumMerge(p.stretches) AS unique_ms,
        max(p.max_position_ms) AS max_position_ms,
        max(p.track_duration_ms) AS track_duration_ms,
        max(p.max_seq) AS max_seq,
        uniqExactMerge(p.seqs) AS distinct_seqs,
        min(p.last_ingested) AS last_ingested
    FROM playbacks_state AS p";

/// An attribute of the earliest mark that carries it.
fn earliest(attribute: &str, carried: &str) -> String {
    format!(
        "arraySort(arrayMap(m -> (m.occurred_at, m.event_id, m.source, m.{attribute}), \
arrayFilter(m -> {carried}, marks)))[1].4 AS {attribute}"
    )
}

/// The user or track of the earliest event that has one.
fn named(attribute: &str, at: u8) -> String {
    format!("arraySort(arrayFilter(n -> n.{at} != '', named))[1].{at} AS {attribute}")
}

/// The sum of one kind of measure.
fn sum(kind: u8, name: &str) -> String {
    format!(
        "arraySum(mapValues(mapFilter((key, ms) -> bitAnd(key, 7) = {kind}, measures))) AS {name}"
    )
}

/// The number of events with one kind of measure.
fn count(kind: u8, name: &str) -> String {
    format!("toUInt64(length(mapFilter((key, ms) -> bitAnd(key, 7) = {kind}, measures))) AS {name}")
}

/// The expressions of [`COLUMNS`].
fn columns() -> String {
    let texts = [
        "device",
        "platform",
        "app_version",
        "country",
        "plan",
        "context",
    ];
    let texts = texts.map(|text| earliest(text, &format!("m.{text} != ''")));
    let columns = [
        &[
            "playback_id".to_owned(),
            named("user_id", 4),
            named("track_id", 5),
        ][..],
        &texts,
        &[
            "test_id".to_owned(),
            earliest("startup_ms", "isNotNull(m.startup_ms)"),
            "started_at, first_event_at, last_event_at".to_owned(),
            "ending.1 AS ended_at, ending.4 AS end_reason".to_owned(),
            sum(0, "played_ms"),
            "unique_ms, max_position_ms, track_duration_ms".to_owned(),
            sum(2, "paused_ms"),
            sum(3, "stalled_ms"),
            count(1, "pause_count"),
            count(3, "stall_count"),
            count(4, "seek_count"),
            count(5, "failure_count"),
            "toUInt64(arrayUniq(arrayMap(key -> bitShiftRight(key, 3), mapKeys(measures)))) AS event_count"
                .to_owned(),
            "max_seq, distinct_seqs, state".to_owned(),
            "toUnixTimestamp64Milli(last_ingested.3) + last_ingested.1 AS ingest_to_store_ms"
                .to_owned(),
        ],
    ];
    columns.concat().join(",\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_selects_the_named_columns_in_order() {
        let text = columns().replace('\n', " ");
        let mut at = 0;
        for name in COLUMNS {
            let found = text[at..].find(name);
            at += found.unwrap_or_else(|| panic!("{name} is missing or out of order")) + name.len();
        }
    }
}
