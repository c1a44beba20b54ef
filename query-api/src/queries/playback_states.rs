//! The merged states of playbacks as they are read by id, and what they tell. The derivation is the one that
//! `ess_schema::merged` writes as SQL; done here, a single read costs the read model half, because a short query is cheap to plan.

use clickhouse::Row;
use serde::Deserialize;
use serde_bytes::ByteBuf;

use super::PlaybackRow;

/// One playback's states, merged: what they hold is told in schema/sql/generation/0003_playbacks_state.sql.
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
    unique_ms: u64,
    max_position_ms: Option<u64>,
    track_duration_ms: Option<u64>,
    max_seq: Option<u32>,
    distinct_seqs: u64,
    ingest_to_store_ms: i64,
}

/// The merged columns, in the order of [`PlaybackStates`]. The client reads tuples without names only.
pub(super) const MERGED: &str = "\
SELECT p.playback_id AS playback_id, minMerge(p.origin) AS origin, minMerge(p.test_id) AS test_id,
    maxMerge(p.state) AS state,
    CAST(groupUniqArrayMerge(p.marks) AS Array(Tuple(DateTime64(3, 'UTC'), String, String, String, String, String, String, String, String, String, String, Nullable(UInt64), String))) AS marks,
    min(p.started_at) AS started_at,
    min(p.first_event_at) AS first_event_at, max(p.last_event_at) AS last_event_at, maxMap(p.measures) AS measures,
    intervalLengthSumMerge(p.stretches) AS unique_ms, max(p.max_position_ms) AS max_position_ms,
    max(p.track_duration_ms) AS track_duration_ms, max(p.max_seq) AS max_seq, uniqExactMerge(p.seqs) AS distinct_seqs,
    toUnixTimestamp64Milli(tupleElement(min(p.last_ingested), 3)) + tupleElement(min(p.last_ingested), 1) AS ingest_to_store_ms
FROM playbacks_state AS p
WHERE p.playback_id IN {playback_ids:Array(String)}
GROUP BY p.playback_id";

/// One of `marks`: an event that begins or ends the playback, or names a user or a track alone. Texts it does not carry are empty.
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

/// When an event occurred, its id and its source, and what it names.
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
    fn sum(&self, kind: u64) -> u64 {
        let of_kind = self.measures.iter().filter(|(key, _)| key & KIND == kind);
        of_kind.map(|(_, ms)| ms).sum()
    }

    fn count(&self, kind: u64) -> u64 {
        let of_kind = self.measures.iter().filter(|(key, _)| key & KIND == kind);
        of_kind.count() as u64
    }

    /// Distinct events: one has a key for each kind of measure that its messages told.
    fn events(&self) -> u64 {
        let mut events: Vec<u64> = self.measures.iter().map(|(key, _)| key >> 3).collect();
        events.sort_unstable();
        events.dedup();
        events.len() as u64
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

    /// When the latest mark with a reason occurred, and the reason.
    fn ending(&self) -> (i64, String) {
        let ends = self.marks.iter().filter(|mark| !mark.12.is_empty());
        let last = ends.max_by_key(|mark| (mark.0, &mark.1, &mark.2, &mark.12));
        last.map(|mark| (mark.0, mark.12.clone()))
            .unwrap_or_default()
    }

    /// Everything that names a user or a track, as sorted.
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

/// The event that `origin` is of: eight bytes of its time, most significant first and the sign turned, and texts ended by zero bytes.
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

/// The name in the earliest event that has one.
fn first<'m>(namings: &[Naming<'m>], name: impl Fn(&Naming<'m>) -> &'m str) -> String {
    let mut names = namings.iter().map(name).filter(|name| !name.is_empty());
    names.next().unwrap_or_default().to_owned()
}

/// What stands behind the order key: after its last zero byte.
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
            ingest_to_store_ms: states.ingest_to_store_ms,
            started_at: states.started_at,
            first_event_at: states.first_event_at,
            last_event_at: states.last_event_at,
            unique_ms: states.unique_ms,
            max_position_ms: states.max_position_ms,
            track_duration_ms: states.track_duration_ms,
            max_seq: states.max_seq,
            distinct_seqs: states.distinct_seqs,
            playback_id: states.playback_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order_key(at: i64, rest: &str) -> Vec<u8> {
        let time = (at.cast_unsigned() ^ (1 << 63)).to_be_bytes();
        [&time[..], rest.as_bytes()].concat()
    }

    #[test]
    fn what_stands_behind_an_order_key_is_read_whatever_bytes_its_time_has() {
        for at in [0, 1, -1, 1_795_427_200_000, i64::MAX, i64::MIN] {
            let named = order_key(at, "e1\0src\0ann\0song");
            assert_eq!(origin(&named), Some((at, "e1", "src", "ann", "song")));
            assert_eq!(value(&order_key(at, "e1\0src\0run-1")), "run-1");
        }
        assert_eq!((origin(b""), value(b"")), (None, String::new()));
    }
}
