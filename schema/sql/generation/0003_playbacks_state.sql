-- The aggregate of each playback as mergeable states: min, max and unions keyed by event, never a sum, so that repetition
-- and order do not change the result. Few columns of cheap types, because states are the largest part of the cost of an
-- insert (docs/adr/0008). The granules are small because reads are by id.
--
-- An order key is text that sorts as (occurred_at, event_id, source): eight big-endian bytes of time with the sign bit
-- inverted, event_id, a zero byte, source, a zero byte. Ids contain no zero byte.
CREATE TABLE IF NOT EXISTS {database}.playbacks_state
(
    playback_id       String,
    origin            AggregateFunction(min, String) COMMENT 'order key, user_id, zero byte, track_id: of the earliest event with both',
    test_id           AggregateFunction(min, String) COMMENT 'order key, test_id: of the earliest event with one',
    state             AggregateFunction(max, String) COMMENT 'order key with seq + 1 after the time, state: of the latest event with one',
    marks             AggregateFunction(groupUniqArray, Tuple(occurred_at DateTime64(3, 'UTC'), event_id String, source String, user_id String, track_id String, device String, platform String, app_version String, country String, plan String, context String, startup_ms Nullable(UInt64), end_reason String)) COMMENT 'the events that begin or end it, and those that name a user or a track alone',
    started_at        SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    first_event_at    SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_event_at     SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    measures          SimpleAggregateFunction(maxMap, Map(UInt64, UInt64)) COMMENT 'event_key, its low three bits the kind of measure, to ms: 0 played, 1 pause, 2 paused, 3 stalled, 4 seek, 5 failure',
    stretches         AggregateFunction(intervalLengthSum, UInt64, UInt64),
    max_position_ms   SimpleAggregateFunction(max, Nullable(UInt64)),
    track_duration_ms SimpleAggregateFunction(max, Nullable(UInt64)),
    max_seq           SimpleAggregateFunction(max, Nullable(UInt32)),
    seqs              AggregateFunction(uniqExact, UInt32),
    last_ingested     SimpleAggregateFunction(min, Tuple(minus_ingest_ms Int64, event_key UInt64, store_time DateTime64(3, 'UTC'))) COMMENT 'of the last ingested event its first storing'
)
ENGINE = AggregatingMergeTree
ORDER BY playback_id
SETTINGS index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.playbacks_state_mv TO {database}.playbacks_state AS
WITH
    reinterpretAsFixedString(byteSwap(bitXor(toUInt64(toUnixTimestamp64Milli(e.occurred_at)), 0x8000000000000000))) AS at,
    concat(at, e.event_id, '\0', e.source, '\0') AS order_key
SELECT
    e.playback_id AS playback_id,
    minIfState(concat(order_key, e.user_id, '\0', e.track_id), e.user_id != '' AND e.track_id != '') AS origin,
    minIfState(concat(order_key, e.test_id), e.test_id != '') AS test_id,
    maxIfState(
        concat(at, reinterpretAsFixedString(byteSwap(ifNull(e.seq + 1, 0))), e.event_id, '\0', e.source, '\0', e.state),
        e.state != '') AS state,
    groupUniqArrayIfState(
        (e.occurred_at, e.event_id, toString(e.source), e.user_id, e.track_id, toString(e.device), toString(e.platform),
            toString(e.app_version), toString(e.country), toString(e.plan), toString(e.context), e.startup_ms, toString(e.end_reason)),
        e.type IN ('PlaybackStarted', 'PlaybackFinished') OR (e.user_id = '') != (e.track_id = '')) AS marks,
    minIf(toNullable(e.occurred_at), e.type IN ('PlaybackStarted', 'PlaybackRecorded')) AS started_at,
    min(e.occurred_at) AS first_event_at,
    max(e.occurred_at) AS last_event_at,
    maxMap(map(
        bitOr(
            bitAnd(e.event_key, bitNot(toUInt64(7))),
            multiIf(
                e.type = 'PlaybackPaused', 1, e.type = 'PlaybackResumed', 2, e.type = 'PlaybackStalled', 3,
                e.type = 'PlaybackSeeked', 4, e.type = 'PlaybackFailed', 5, 0)),
        e.played_ms + e.paused_ms + e.stalled_ms)) AS measures,
    intervalLengthSumIfState(
        ifNull(e.from_ms, 0), ifNull(e.to_ms, 0),
        e.type IN ('PlaybackProgressed', 'PlaybackFinished') AND ifNull(e.to_ms > e.from_ms, 0)) AS stretches,
    max(if(e.type = 'PlaybackSeeked' OR isNull(e.to_ms), e.position_ms, greatest(assumeNotNull(e.to_ms), ifNull(e.position_ms, 0)))) AS max_position_ms,
    max(e.track_duration_ms) AS track_duration_ms,
    max(e.seq) AS max_seq,
    uniqExactIfState(assumeNotNull(e.seq), isNotNull(e.seq)) AS seqs,
    min((-toUnixTimestamp64Milli(e.ingest_time), e.event_key, e.store_time)) AS last_ingested
FROM {database}.events AS e
WHERE e.playback_id != ''
GROUP BY e.playback_id;
