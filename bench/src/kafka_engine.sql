-- ClickHouse's own way from the log into the same tables: a Kafka table and a view into `events`, from which the other
-- tables are fed as always. Columns are filled as the projector fills them. `data` is read twice: as text for its column,
-- and once more for all the fields that become columns.
CREATE TABLE {database}.queue
(
    id            String,
    source        LowCardinality(String),
    type          LowCardinality(String),
    subject       String,
    time          DateTime64(3, 'UTC'),
    ingesttime    DateTime64(3, 'UTC'),
    schemaversion UInt16,
    testid        String,
    userid        String,
    trackid       String,
    data          String
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{brokers}',
    kafka_topic_list = '{topic}',
    kafka_group_name = '{group}',
    kafka_format = 'JSONEachRow',
    kafka_num_consumers = {consumers},
    kafka_thread_per_consumer = 1,
    kafka_max_block_size = 100000,
    kafka_poll_max_batch_size = 100000,
    kafka_flush_interval_ms = 1000,
    input_format_skip_unknown_fields = 1,
    input_format_json_read_objects_as_strings = 1,
    date_time_input_format = 'best_effort';

CREATE MATERIALIZED VIEW {database}.queue_mv TO {database}.events AS
WITH
    type IN ('PlaybackStarted', 'PlaybackProgressed', 'PlaybackPaused', 'PlaybackResumed', 'PlaybackSeeked',
             'PlaybackStalled', 'PlaybackFinished', 'PlaybackFailed', 'PlaybackRecorded') AS is_playback,
    JSONExtract(if(is_playback, data, '{}'), 'Tuple(
        user_id String, track_id String, seq Nullable(UInt32), from_ms Nullable(UInt64), to_ms Nullable(UInt64),
        played_ms Nullable(UInt64), position_ms Nullable(UInt64), paused_ms UInt64, stalled_ms UInt64,
        startup_ms Nullable(UInt64), track_duration_ms Nullable(UInt64), reason String, code String, fatal Bool,
        device String, platform String, app_version String, country String, plan String, context String)') AS d
SELECT
    id AS event_id,
    source,
    type,
    schemaversion,
    subject AS playback_id,
    if(is_playback, d.user_id, userid) AS user_id,
    if(is_playback, d.track_id, trackid) AS track_id,
    time AS occurred_at,
    ingesttime AS ingest_time,
    testid AS test_id,
    d.seq AS seq,
    multiIf(
        type IN ('PlaybackStarted', 'PlaybackProgressed', 'PlaybackResumed', 'PlaybackStalled'), 'playing',
        type = 'PlaybackPaused', 'paused',
        type IN ('PlaybackFinished', 'PlaybackRecorded'), 'finished',
        type = 'PlaybackFailed' AND d.fatal, 'failed',
        '') AS state,
    d.from_ms AS from_ms,
    d.to_ms AS to_ms,
    if(type = 'PlaybackSeeked', 0, ifNull(coalesce(d.played_ms, d.to_ms - d.from_ms), 0)) AS played_ms,
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
FROM {database}.queue;
