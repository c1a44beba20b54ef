//! The states of playbacks by id, merged here. `ess_schema::merged` does the same in SQL for many playbacks; for one playback, planning
//! a dozen aggregate functions costs more than reading its states.

mod encoded;

use std::{cmp::Reverse, collections::BTreeMap};

use clickhouse::Row;
use serde::Deserialize;
use serde_bytes::ByteBuf;

use self::encoded::{Numbers, Stretches};
use super::PlaybackRow;

/// The states of one playback, of one stored row or of several merged ones. schema/sql/generation/0003_playbacks_state.sql defines them.
#[derive(Row, Deserialize)]
pub(crate) struct PlaybackStates {
    playback_id: String,
    origin: ByteBuf,
    test_id: ByteBuf,
    state: ByteBuf,
    marks: Vec<Mark>,
    started_at: Option<i64>,
    first_event_at: i64,
    last_event_at: i64,
    measures: Vec<(u64, u64)>,
    stretches: Stretches,
    max_position_ms: Option<u64>,
    track_duration_ms: Option<u64>,
    max_seq: Option<u32>,
    seqs: Numbers,
    last_ingested: (i64, u64, i64),
}

/// Selects the stored states, a few rows a playback, in the order of [`PlaybackStates`]. The client can read unnamed tuples only, and
/// of aggregate states only their results or their bytes.
pub(super) const STORED: &str = "\
SELECT playback_id, finalizeAggregation(origin) AS origin, finalizeAggregation(test_id) AS test_id,
    finalizeAggregation(state) AS state,
    CAST(finalizeAggregation(marks) AS Array(Tuple(DateTime64(3, 'UTC'), String, String, String, String, String, String, String, String, String, String, Nullable(UInt64), String))) AS marks,
    started_at, first_event_at, last_event_at, measures, CAST(stretches AS String) AS stretches, max_position_ms,
    track_duration_ms, max_seq, CAST(seqs AS String) AS seqs,
    CAST(last_ingested AS Tuple(Int64, UInt64, DateTime64(3, 'UTC'))) AS last_ingested
FROM playbacks_state
WHERE playback_id IN {playback_ids:Array(String)}";

/// One of `marks`: an event that starts or ends the playback, or names only a user or only a track. Missing texts are empty.
type Mark = (
    i64,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    Option<u64>,
    String,
);

/// The time, id and source of an event, and the user and track that it names.
type Naming<'m> = (i64, &'m str, &'m str, &'m str, &'m str);

/// The kinds of a measure, in the low three bits of its key.
const KIND: u64 = 7;
const PLAYED: u64 = 0;
const PAUSE: u64 = 1;
const PAUSED: u64 = 2;
const STALLED: u64 = 3;
const SEEK: u64 = 4;
const FAILURE: u64 = 5;

impl PlaybackStates {
    /// Merges rows into one value for each playback.
    pub(crate) fn merged(rows: Vec<Self>) -> impl Iterator<Item = Self> {
        let mut merged = BTreeMap::<String, Self>::new();
        for row in rows {
            match merged.get_mut(&row.playback_id) {
                Some(states) => states.merge(row),
                None => drop(merged.insert(row.playback_id.clone(), row)),
            }
        }
        merged.into_values().map(|mut states| {
            retain_max_values(&mut states.measures);
            states
        })
    }

    /// Merges another row. The order and repetitions do not matter. `measures` still contains smaller values of repeated keys.
    fn merge(&mut self, other: Self) {
        let Self {
            playback_id: _,
            origin,
            test_id,
            state,
            marks,
            started_at,
            first_event_at,
            last_event_at,
            measures,
            stretches,
            max_position_ms,
            track_duration_ms,
            max_seq,
            seqs,
            last_ingested,
        } = other;
        merge_min(&mut self.origin, origin);
        merge_min(&mut self.test_id, test_id);
        self.state = state.max(std::mem::take(&mut self.state));
        self.marks.extend(marks);
        self.started_at = [self.started_at, started_at].into_iter().flatten().min();
        self.first_event_at = self.first_event_at.min(first_event_at);
        self.last_event_at = self.last_event_at.max(last_event_at);
        self.measures.extend(measures);
        self.stretches.extend(stretches);
        self.max_position_ms = self.max_position_ms.max(max_position_ms);
        self.track_duration_ms = self.track_duration_ms.max(track_duration_ms);
        self.max_seq = self.max_seq.max(max_seq);
        self.seqs.extend(seqs);
        self.last_ingested = self.last_ingested.min(last_ingested);
    }

    fn sum(&self, kind: u64) -> u64 {
        let of_kind = self.measures.iter().filter(|(key, _)| key & KIND == kind);
        of_kind.map(|(_, ms)| ms).sum()
    }

    fn count(&self, kind: u64) -> u64 {
        let of_kind = self.measures.iter().filter(|(key, _)| key & KIND == kind);
        of_kind.count() as u64
    }

    /// The number of distinct events. An event has one key for each kind of measure in its messages.
    fn events(&self) -> u64 {
        let mut events: Vec<u64> = self.measures.iter().map(|(key, _)| key >> 3).collect();
        events.sort_unstable();
        events.dedup();
        events.len() as u64
    }

    /// The time from ingest to the first storage of the event that was ingested last.
    fn ingest_to_store_ms(&self) -> i64 {
        let (minus_ingest_ms, _, stored_ms) = self.last_ingested;
        stored_ms + minus_ingest_ms
    }

    /// The value of the earliest mark that carries it, order (occurred_at, event id, source, value).
    fn earliest<'m, T: Ord>(&'m self, value: impl Fn(&'m Mark) -> Option<T>) -> Option<T> {
        let carried = self.marks.iter().filter_map(|mark| {
            let (at, id, source, ..) = mark;
            Some((*at, id.as_str(), source.as_str(), value(mark)?))
        });
        carried.min().map(|(.., value)| value)
    }

    fn text<'m>(&'m self, text: impl Fn(&'m Mark) -> &'m String) -> String {
        let carried = |mark| Some(text(mark).as_str()).filter(|text| !text.is_empty());
        self.earliest(carried).unwrap_or_default().to_owned()
    }

    /// The time and the reason of the latest mark with a reason.
    fn ending(&self) -> (i64, String) {
        let ends = self.marks.iter().filter(|mark| !mark.12.is_empty());
        let last = ends.max_by_key(|mark| (mark.0, &mark.1, &mark.2, &mark.12));
        last.map(|mark| (mark.0, mark.12.clone()))
            .unwrap_or_default()
    }

    /// The events that name a user or a track, sorted.
    fn namings(&self) -> Vec<Naming<'_>> {
        let marks = self.marks.iter();
        let marks = marks.map(|(at, id, source, user, track, ..)| {
            (
                *at,
                id.as_str(),
                source.as_str(),
                user.as_str(),
                track.as_str(),
            )
        });
        let mut namings: Vec<_> = marks.chain(origin(&self.origin)).collect();
        namings.sort_unstable();
        namings
    }
}

/// Replaces a text by a smaller one. The empty text is no value.
fn merge_min(text: &mut ByteBuf, other: ByteBuf) {
    if text.is_empty() || (!other.is_empty() && other < *text) {
        *text = other;
    }
}

/// Retains the maximum value of each key.
fn retain_max_values(measures: &mut Vec<(u64, u64)>) {
    measures.sort_unstable_by_key(|&(key, ms)| (key, Reverse(ms)));
    measures.dedup_by_key(|(key, _)| *key);
}

/// Reads `origin`: eight bytes of time, big-endian with the sign bit flipped, and texts that end with a zero byte each.
fn origin(bytes: &[u8]) -> Option<Naming<'_>> {
    let (time, texts) = bytes.split_first_chunk()?;
    let mut texts = std::str::from_utf8(texts).ok()?.split('\0');
    Some((
        (u64::from_be_bytes(*time) ^ (1 << 63)).cast_signed(),
        texts.next()?,
        texts.next()?,
        texts.next()?,
        texts.next()?,
    ))
}

/// The name in the earliest event with one.
fn first<'m>(namings: &[Naming<'m>], name: impl Fn(&Naming<'m>) -> &'m str) -> String {
    let mut names = namings.iter().map(name).filter(|name| !name.is_empty());
    names.next().unwrap_or_default().to_owned()
}

/// The value after the order key, which ends with the last zero byte.
fn value(bytes: &[u8]) -> String {
    let value = bytes.rsplit(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(value).into_owned()
}

impl From<PlaybackStates> for PlaybackRow {
    fn from(states: PlaybackStates) -> Self {
        let namings = states.namings();
        let (ended_at, end_reason) = states.ending();
        Self {
            user_id: first(&namings, |naming| naming.3),
            track_id: first(&namings, |naming| naming.4),
            device: states.text(|mark| &mark.5),
            platform: states.text(|mark| &mark.6),
            app_version: states.text(|mark| &mark.7),
            country: states.text(|mark| &mark.8),
            plan: states.text(|mark| &mark.9),
            context: states.text(|mark| &mark.10),
            startup_ms: states.earliest(|mark| mark.11),
            ended_at,
            end_reason,
            played_ms: states.sum(PLAYED),
            paused_ms: states.sum(PAUSED),
            stalled_ms: states.sum(STALLED),
            pause_count: states.count(PAUSE),
            stall_count: states.count(STALLED),
            seek_count: states.count(SEEK),
            failure_count: states.count(FAILURE),
            event_count: states.events(),
            test_id: value(&states.test_id),
            state: value(&states.state),
            ingest_to_store_ms: states.ingest_to_store_ms(),
            started_at: states.started_at,
            first_event_at: states.first_event_at,
            last_event_at: states.last_event_at,
            unique_ms: states.stretches.union_ms(),
            max_position_ms: states.max_position_ms,
            track_duration_ms: states.track_duration_ms,
            max_seq: states.max_seq,
            distinct_seqs: states.seqs.distinct(),
            playback_id: states.playback_id,
        }
    }
}

#[cfg(test)]
mod tests;
