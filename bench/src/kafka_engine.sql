-- ClickHouse's own way from the log into the same tables: a Kafka table and a view into `events`, from which the other
-- tables are fed as always. Columns are filled as the projector fills them. Each message is taken as one text, and its
-- fields are extracted twice, those of the envelope and those of `data`. On a machine that others used as well that was
-- mostly faster than columns of JSONEachRow, and large blocks than small ones (docs/BENCHMARKS.md).
CREATE TABLE {database}.queue (message String)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{brokers}',
    kafka_topic_list = '{topic}',
    kafka_group_name = '{group}',
    kafka_format = 'JSONAsString',
    kafka_num_consumers = {consumers},
    kafka_thread_per_consumer = 1,
    kafka_max_block_size = 200000,
    kafka_flush_interval_ms = 1000;

CREATE MATERIALIZED VIEW {database}.queue_mv TO {database}.events AS
WITH
    e.type IN ('PlaybackStarted', 'PlaybackProgressed', 'PlaybackPaused', 'PlaybackResumed', 'PlaybackSeeked',
             'PlaybackStalled', 'PlaybackFinished', 'PlaybackFailed', 'PlaybackRecorded') AS is_playback,
    JSONExtract(if(is_playback, data, '{}'), 'Tuple(
        user_id String, track_id String, seq Nullable(UInt32), from_ms Nullable(UInt64), to_ms Nullable(UInt64),
        played_ms Nullable(UInt64), position_ms Nullable(UInt64), paused_ms UInt64, stalled_ms UInt64,
        startup_ms Nullable(UInt64), track_duration_ms Nullable(UInt64), reason String, code String, fatal Bool,
        device String, platform String, app_version String, country String, plan String, context String)') AS d
SELECT
    e.id AS event_id,
    e.source AS source,
    e.type AS type,
    e.schemaversion AS schemaversion,
    e.subject AS playback_id,
    if(is_playback, d.user_id, e.userid) AS user_id,
    if(is_playback, d.track_id, e.trackid) AS track_id,
    parseDateTime64BestEffort(e.time, 3, 'UTC') AS occurred_at,
    parseDateTime64BestEffort(e.ingesttime, 3, 'UTC') AS ingest_time,
    e.testid AS test_id,
    d.seq AS seq,
    multiIf(
        e.type IN ('PlaybackStarted', 'PlaybackProgressed', 'PlaybackResumed', 'PlaybackStalled'), 'playing',
        e.type = 'PlaybackPaused', 'paused',
        e.type IN ('PlaybackFinished', 'PlaybackRecorded'), 'finished',
        e.type = 'PlaybackFailed' AND d.fatal, 'failed',
        '') AS state,
    d.from_ms AS from_ms,
    d.to_ms AS to_ms,
    if(e.type = 'PlaybackSeeked', 0, ifNull(coalesce(d.played_ms, d.to_ms - d.from_ms), 0)) AS played_ms,
    d.position_ms AS position_ms,
    d.paused_ms AS paused_ms,
    d.stalled_ms AS stalled_ms,
    d.startup_ms AS startup_ms,
    d.track_duration_ms AS track_duration_ms,
    d.reason AS end_reason,
    d.code AS failure_code,
    d.fatal AS fatal,
    d.device AS device,
    d.platform AS platform,
    d.app_version AS app_version,
    d.country AS country,
    d.plan AS plan,
    d.context AS context,
    data,
    toUInt16(_partition) AS partition,
    _offset AS offset
FROM
(
    SELECT
        JSONExtract(message, 'Tuple(
            id String, source LowCardinality(String), type LowCardinality(String), subject String, time String,
            ingesttime String, schemaversion UInt16, testid String, userid String, trackid String)') AS e,
        JSONExtractRaw(message, 'data') AS data,
        _partition,
        _offset
    FROM {database}.queue
);
