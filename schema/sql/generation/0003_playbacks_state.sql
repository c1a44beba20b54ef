-- One playback's aggregate as states that merge: min, max, unions and maps keyed by event, never a sum,
-- so that any repetition or order of the same events gives the same answer. Small granules: it is read
-- by id.
CREATE TABLE IF NOT EXISTS {database}.playbacks_state
(
    playback_id       String,
    user_id           AggregateFunction(min, Tuple(DateTime64(3, 'UTC'), String, String, String)) COMMENT 'least (occurred_at, event_id, source, value)',
    track_id          AggregateFunction(min, Tuple(DateTime64(3, 'UTC'), String, String, String)),
    device            AggregateFunction(min, Tuple(DateTime64(3, 'UTC'), String, String, String)),
    platform          AggregateFunction(min, Tuple(DateTime64(3, 'UTC'), String, String, String)),
    app_version       AggregateFunction(min, Tuple(DateTime64(3, 'UTC'), String, String, String)),
    country           AggregateFunction(min, Tuple(DateTime64(3, 'UTC'), String, String, String)),
    plan              AggregateFunction(min, Tuple(DateTime64(3, 'UTC'), String, String, String)),
    context           AggregateFunction(min, Tuple(DateTime64(3, 'UTC'), String, String, String)),
    test_id           AggregateFunction(min, Tuple(DateTime64(3, 'UTC'), String, String, String)),
    startup_ms        AggregateFunction(min, Tuple(DateTime64(3, 'UTC'), String, String, Nullable(UInt64))),
    started_at        SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    first_event_at    SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_event_at     SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    ending            AggregateFunction(max, Tuple(DateTime64(3, 'UTC'), String, String, String)) COMMENT 'greatest (occurred_at, event_id, source, reason)',
    state             AggregateFunction(max, Tuple(DateTime64(3, 'UTC'), Int64, String, String, String)) COMMENT 'greatest (occurred_at, seq or -1, event_id, source, state)',
    played_ms         SimpleAggregateFunction(maxMap, Map(UInt64, UInt64)) COMMENT 'event_key to ms',
    paused_ms         SimpleAggregateFunction(maxMap, Map(UInt64, UInt64)),
    stalled_ms        SimpleAggregateFunction(maxMap, Map(UInt64, UInt64)),
    stretches         AggregateFunction(intervalLengthSum, UInt64, UInt64),
    max_position_ms   SimpleAggregateFunction(max, Nullable(UInt64)),
    track_duration_ms SimpleAggregateFunction(max, Nullable(UInt64)),
    events            AggregateFunction(uniqExact, UInt64),
    pauses            AggregateFunction(uniqExact, UInt64),
    stalls            AggregateFunction(uniqExact, UInt64),
    seeks             AggregateFunction(uniqExact, UInt64),
    failures          AggregateFunction(uniqExact, UInt64),
    max_seq           SimpleAggregateFunction(max, Nullable(UInt32)),
    seqs              AggregateFunction(uniqExact, UInt32),
    last_ingested     SimpleAggregateFunction(min, Tuple(minus_ingest_ms Int64, event_key UInt64, store_time DateTime64(3, 'UTC'))) COMMENT 'of the last ingested event its first storing'
)
ENGINE = AggregatingMergeTree
ORDER BY playback_id
SETTINGS index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.playbacks_state_mv TO {database}.playbacks_state AS
SELECT
    e.playback_id AS playback_id,
    minIfState((e.occurred_at, e.event_id, toString(e.source), e.user_id), e.user_id != '') AS user_id,
    minIfState((e.occurred_at, e.event_id, toString(e.source), e.track_id), e.track_id != '') AS track_id,
    minIfState((e.occurred_at, e.event_id, toString(e.source), toString(e.device)), e.device != '') AS device,
    minIfState((e.occurred_at, e.event_id, toString(e.source), toString(e.platform)), e.platform != '') AS platform,
    minIfState((e.occurred_at, e.event_id, toString(e.source), toString(e.app_version)), e.app_version != '') AS app_version,
    minIfState((e.occurred_at, e.event_id, toString(e.source), toString(e.country)), e.country != '') AS country,
    minIfState((e.occurred_at, e.event_id, toString(e.source), toString(e.plan)), e.plan != '') AS plan,
    minIfState((e.occurred_at, e.event_id, toString(e.source), toString(e.context)), e.context != '') AS context,
    minIfState((e.occurred_at, e.event_id, toString(e.source), toString(e.test_id)), e.test_id != '') AS test_id,
    minIfState((e.occurred_at, e.event_id, toString(e.source), e.startup_ms), isNotNull(e.startup_ms)) AS startup_ms,
    minIf(toNullable(e.occurred_at), e.type IN ('PlaybackStarted', 'PlaybackRecorded')) AS started_at,
    min(e.occurred_at) AS first_event_at,
    max(e.occurred_at) AS last_event_at,
    maxIfState((e.occurred_at, e.event_id, toString(e.source), toString(e.end_reason)), e.end_reason != '') AS ending,
    maxIfState((e.occurred_at, ifNull(toInt64(e.seq), -1), e.event_id, toString(e.source), toString(e.state)), e.state != '') AS state,
    maxMapIf(map(e.event_key, e.played_ms), e.played_ms > 0) AS played_ms,
    maxMapIf(map(e.event_key, e.paused_ms), e.paused_ms > 0) AS paused_ms,
    maxMapIf(map(e.event_key, e.stalled_ms), e.stalled_ms > 0) AS stalled_ms,
    intervalLengthSumIfState(
        ifNull(e.from_ms, 0), ifNull(e.to_ms, 0),
        e.type IN ('PlaybackProgressed', 'PlaybackFinished') AND ifNull(e.to_ms > e.from_ms, 0)) AS stretches,
    max(if(e.type = 'PlaybackSeeked' OR isNull(e.to_ms), e.position_ms, greatest(assumeNotNull(e.to_ms), ifNull(e.position_ms, 0)))) AS max_position_ms,
    max(e.track_duration_ms) AS track_duration_ms,
    uniqExactState(e.event_key) AS events,
    uniqExactIfState(e.event_key, e.type = 'PlaybackPaused') AS pauses,
    uniqExactIfState(e.event_key, e.type = 'PlaybackStalled') AS stalls,
    uniqExactIfState(e.event_key, e.type = 'PlaybackSeeked') AS seeks,
    uniqExactIfState(e.event_key, e.type = 'PlaybackFailed') AS failures,
    max(e.seq) AS max_seq,
    uniqExactIfState(assumeNotNull(e.seq), isNotNull(e.seq)) AS seqs,
    min((-toUnixTimestamp64Milli(e.ingest_time), e.event_key, e.store_time)) AS last_ingested
FROM {database}.events AS e
WHERE e.playback_id != ''
GROUP BY e.playback_id;
