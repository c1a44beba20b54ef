-- The playbacks that each stored batch touched, with the log position of the batch: the roll-up rewrites their rows in
-- playbacks. The projector drops the partitions of days that are rolled up.
CREATE TABLE IF NOT EXISTS {database}.playbacks_touched
(
    partition   UInt16,
    offset      UInt64 COMMENT 'of the last event of the playback in the batch' CODEC(Delta, ZSTD),
    playback_id String,
    stored_at   DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD)
)
ENGINE = MergeTree
PARTITION BY toDate(stored_at)
ORDER BY (partition, offset);

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.playbacks_touched_mv TO {database}.playbacks_touched AS
SELECT e.partition AS partition, max(e.offset) AS offset, e.playback_id AS playback_id
FROM {database}.events AS e
WHERE e.playback_id != ''
GROUP BY e.partition, e.playback_id;

-- One row per playback with plain values, for queries over many playbacks (docs/adr/0010). When events touch a playback,
-- the projector rewrites its row from playbacks_state; the new row replaces the old one completely. version is the number
-- of log records projected when the row was written, so the later row remains. day is the day of the first event; when an
-- earlier event arrives, rows with is_deleted replace the row in the days that it may have been in.
CREATE TABLE IF NOT EXISTS {database}.playbacks
(
    playback_id        String,
    user_id            String,
    track_id           String,
    device             LowCardinality(String),
    platform           LowCardinality(String),
    app_version        LowCardinality(String),
    country            LowCardinality(String),
    plan               LowCardinality(String),
    context            LowCardinality(String),
    test_id            LowCardinality(String),
    startup_ms         Nullable(UInt64),
    started_at         Nullable(DateTime64(3, 'UTC')),
    first_event_at     DateTime64(3, 'UTC'),
    last_event_at      DateTime64(3, 'UTC'),
    ended_at           DateTime64(3, 'UTC') COMMENT '1970 without an end',
    end_reason         LowCardinality(String),
    played_ms          UInt64,
    unique_ms          UInt64,
    max_position_ms    Nullable(UInt64),
    track_duration_ms  Nullable(UInt64),
    paused_ms          UInt64,
    stalled_ms         UInt64,
    pause_count        UInt64,
    stall_count        UInt64,
    seek_count         UInt64,
    failure_count      UInt64,
    event_count        UInt64,
    max_seq            Nullable(UInt32),
    distinct_seqs      UInt64,
    state              LowCardinality(String),
    ingest_to_store_ms Int64,
    day                Date,
    version            UInt64 COMMENT 'twice the sum of the next offsets of all partitions, one more for the row that stands',
    is_deleted         UInt8 COMMENT '1: the playback is not filed under this day',
    completed          Bool MATERIALIZED end_reason = 'completed' OR ifNull(max_position_ms * 100 >= track_duration_ms * 95 AND track_duration_ms > 0, 0) COMMENT 'as ess_schema::playback says',
    reached_percent    UInt8 MATERIALIZED ifNull(if(track_duration_ms > 0, multiIf(max_position_ms * 100 >= track_duration_ms * 95, 95, max_position_ms * 4 >= track_duration_ms * 3, 75, max_position_ms * 2 >= track_duration_ms, 50, max_position_ms * 4 >= track_duration_ms, 25, 0), 0), 0) COMMENT 'the highest of 25, 50, 75 and 95 percent reached',
    user_key           UInt64 MATERIALIZED cityHash64(user_id),
    track_key          UInt64 MATERIALIZED cityHash64(track_id),
    INDEX by_user user_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_track track_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_last_event last_event_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY day
ORDER BY playback_id
SETTINGS min_age_to_force_merge_seconds = 900, min_age_to_force_merge_on_partition_only = 1;

-- How far playbacks includes the log; the counterpart of projection_progress for events.
CREATE TABLE IF NOT EXISTS {database}.playbacks_progress
(
    partition        UInt16,
    next_offset      SimpleAggregateFunction(max, UInt64) COMMENT 'every event below it is in the rows of playbacks',
    last_ingest_time SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'of the newest event in them',
    stored_at        SimpleAggregateFunction(max, DateTime64(3, 'UTC')) DEFAULT now64(3)
)
ENGINE = AggregatingMergeTree
ORDER BY partition;
