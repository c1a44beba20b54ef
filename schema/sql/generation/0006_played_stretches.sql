-- The played stretches of each track. Every column is in the key, so repetitions collapse. Sorted by track, so that reading
-- the retention of one track is cheap.
CREATE TABLE IF NOT EXISTS {database}.played_stretches
(
    track_id    String,
    playback_id String,
    event_key   UInt64,
    from_ms     UInt64,
    to_ms       UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (track_id, playback_id, event_key, from_ms, to_ms);

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.played_stretches_mv TO {database}.played_stretches AS
SELECT e.track_id AS track_id, e.playback_id AS playback_id, e.event_key AS event_key,
    assumeNotNull(e.from_ms) AS from_ms, assumeNotNull(e.to_ms) AS to_ms
FROM {database}.events AS e
WHERE e.type IN ('PlaybackProgressed', 'PlaybackFinished') AND ifNull(e.to_ms > e.from_ms, 0);
