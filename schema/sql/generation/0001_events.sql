-- Raw events, one row per event. Sorted by time, so that reading the newest page is cheap. The identity follows in the
-- key, so that repetitions collapse: the row with the lowest log position remains, and of several rows with that position
-- the first one stored (log_rank).
CREATE TABLE IF NOT EXISTS {database}.events
(
    event_id          String,
    source            LowCardinality(String),
    type              LowCardinality(String),
    schemaversion     UInt16,
    playback_id       String COMMENT 'empty for a custom event that names none',
    user_id           String,
    track_id          String,
    occurred_at       DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    ingest_time       DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    store_time        DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD),
    test_id           LowCardinality(String),
    seq               Nullable(UInt32),
    state             LowCardinality(String) COMMENT 'the state it leaves its playback in, empty for none',
    from_ms           Nullable(UInt64),
    to_ms             Nullable(UInt64),
    played_ms         UInt64,
    position_ms       Nullable(UInt64),
    paused_ms         UInt64,
    stalled_ms        UInt64,
    startup_ms        Nullable(UInt64),
    track_duration_ms Nullable(UInt64),
    end_reason        LowCardinality(String),
    failure_code      LowCardinality(String),
    fatal             Bool,
    device            LowCardinality(String),
    platform          LowCardinality(String),
    app_version       LowCardinality(String),
    country           LowCardinality(String),
    plan              LowCardinality(String),
    context           LowCardinality(String),
    datacontenttype   LowCardinality(String) COMMENT 'empty for JSON',
    data              String COMMENT 'JSON text as sent, empty without data or for binary data' CODEC(ZSTD),
    data_base64       String CODEC(ZSTD),
    extensions        String COMMENT 'JSON object of further CloudEvents attributes, empty for none' CODEC(ZSTD),
    partition         UInt16,
    offset            UInt64 CODEC(Delta, ZSTD),
    event_key         UInt64 MATERIALIZED cityHash64(source, event_id),
    log_rank          UInt128 MATERIALIZED bitNot(bitShiftLeft(toUInt128(partition), 112) + bitShiftLeft(toUInt128(offset), 64) + toUInt64(toUnixTimestamp64Milli(store_time))) CODEC(ZSTD),
    INDEX by_playback playback_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_user user_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(log_rank)
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (occurred_at, source, event_id);
