//! Playbacks by id: the merged states, integers and times only. What follows from them is `ess_schema`'s to say.

use clickhouse::Row;
use ess_schema::{
    PlaybackId, Timestamp,
    event::{EndReason, PlayState},
    id::InvalidId,
    playback::{Aggregate, Dimensions, Ending},
    time::InvalidTime,
};
use serde::Deserialize;

use super::{InvalidRow, Select, Sql};

/// The playbacks with these ids; ids nothing is known of are left out.
#[derive(Debug)]
pub(crate) struct PlaybacksById(pub(crate) Vec<PlaybackId>);

/// One playback. Empty text means that no event carried the value.
#[derive(Debug, Clone, Row, Deserialize)]
#[cfg_attr(test, derive(Default))]
pub(crate) struct PlaybackRow {
    playback_id: String,
    user_id: String,
    track_id: String,
    device: String,
    platform: String,
    app_version: String,
    country: String,
    plan: String,
    context: String,
    test_id: String,
    startup_ms: Option<u64>,
    started_at: Option<i64>,
    first_event_at: i64,
    last_event_at: i64,
    ended_at: i64,
    end_reason: String,
    played_ms: u64,
    unique_ms: u64,
    max_position_ms: Option<u64>,
    track_duration_ms: Option<u64>,
    paused_ms: u64,
    stalled_ms: u64,
    pause_count: u64,
    stall_count: u64,
    seek_count: u64,
    failure_count: u64,
    event_count: u64,
    max_seq: Option<u32>,
    distinct_seqs: u64,
    state: String,
    ingest_to_store_ms: i64,
}

/// The states, merged. What they hold is told in schema/sql/generation/0003_playbacks_state.sql.
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
    FROM playbacks_state AS p
    WHERE p.playback_id IN {playback_ids:Array(String)}
    GROUP BY p.playback_id";

/// The value of the earliest mark that carries it.
fn earliest(attribute: &str, carried: &str) -> String {
    format!(
        "arraySort(arrayMap(m -> (m.occurred_at, m.event_id, m.source, m.{attribute}), \
arrayFilter(m -> {carried}, marks)))[1].4 AS {attribute}"
    )
}

/// The user or track that the earliest event which names one names.
fn named(attribute: &str, at: u8) -> String {
    format!("arraySort(arrayFilter(n -> n.{at} != '', named))[1].{at} AS {attribute}")
}

/// The sum of one kind of measure.
fn sum(kind: u8, name: &str) -> String {
    format!(
        "arraySum(mapValues(mapFilter((key, ms) -> bitAnd(key, 7) = {kind}, measures))) AS {name}"
    )
}

/// How many events have one kind of measure.
fn count(kind: u8, name: &str) -> String {
    format!("toUInt64(length(mapFilter((key, ms) -> bitAnd(key, 7) = {kind}, measures))) AS {name}")
}

/// The columns of a [`PlaybackRow`], in its order.
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

impl Select for PlaybacksById {
    type Row = PlaybackRow;
    const NAME: &'static str = "playbacks_by_id";
    const UNBOUNDED: bool = false;

    fn to_sql(&self) -> Sql {
        let ids: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        let text = format!("SELECT\n    {}\nFROM (\n{MERGED}\n)", columns());
        // A few granules: more threads only cost their start.
        Sql::new(text)
            .bind("playback_ids", ids)
            .with(&[("max_threads", "1")])
    }
}

impl PlaybackRow {
    /// Which playback it is.
    pub(crate) fn playback_id(&self) -> &str {
        &self.playback_id
    }

    #[cfg(test)]
    pub(crate) fn named(playback_id: String) -> Self {
        Self {
            playback_id,
            ..Self::default()
        }
    }

    /// The folded values.
    ///
    /// # Errors
    /// When the row holds what no event can have put there.
    pub(crate) fn aggregate(self) -> Result<Aggregate, InvalidRow> {
        let Self {
            playback_id,
            user_id,
            track_id,
            device,
            platform,
            app_version,
            country,
            plan,
            context,
            test_id,
            startup_ms,
            started_at,
            first_event_at,
            last_event_at,
            ended_at,
            end_reason,
            played_ms,
            unique_ms,
            max_position_ms,
            track_duration_ms,
            paused_ms,
            stalled_ms,
            pause_count,
            stall_count,
            seek_count,
            failure_count,
            event_count,
            max_seq,
            distinct_seqs,
            state,
            ingest_to_store_ms,
        } = self;
        Ok(Aggregate {
            playback_id: PlaybackId::new(playback_id)?,
            dimensions: Dimensions {
                user_id: id(user_id)?,
                track_id: id(track_id)?,
                device: given(device),
                platform: given(platform),
                app_version: given(app_version),
                country: given(country),
                plan: given(plan),
                context: given(context),
                test_id: id(test_id)?,
                startup_ms,
            },
            started_at: started_at.map(Timestamp::from_millis).transpose()?,
            first_event_at: Timestamp::from_millis(first_event_at)?,
            last_event_at: Timestamp::from_millis(last_event_at)?,
            ending: ending(ended_at, &end_reason)?,
            played_ms,
            unique_ms,
            max_position_ms,
            track_duration_ms,
            paused_ms,
            stalled_ms,
            pause_count,
            stall_count,
            seek_count,
            failure_count,
            event_count,
            max_seq,
            distinct_seqs,
            state: PlayState::from_name(&state),
            ingest_to_store_ms: Some(ingest_to_store_ms),
        })
    }
}

fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn id<T: TryFrom<String, Error = InvalidId>>(text: String) -> Result<Option<T>, InvalidId> {
    given(text).map(T::try_from).transpose()
}

/// Without an end it reads as 1970 and no reason.
fn ending(at: i64, reason: &str) -> Result<Option<Ending>, InvalidTime> {
    EndReason::from_name(reason)
        .map(|reason| {
            Ok(Ending {
                at: Timestamp::from_millis(at)?,
                reason,
            })
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries::shown;

    #[test]
    fn ids_are_bound_never_spliced() {
        let nasty = PlaybackId::new(r"'\`;--").unwrap();
        let plain = PlaybackId::new("p1").unwrap();
        insta::assert_snapshot!(shown(&PlaybacksById(vec![plain, nasty]).to_sql()));
    }
}
