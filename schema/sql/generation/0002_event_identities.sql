-- One row per event identity: its first position in the log, and the occurred_at of that record. Two records with one
-- identity may differ in occurred_at, and so in the key of events; this table states which of them counts, and finds an
-- event by id. The smallest and the largest content hash differ if and only if two records differ in content, in any
-- order and with any repetition. The granules are small because reads are by id.
CREATE TABLE IF NOT EXISTS {database}.event_identities
(
    event_id         String,
    source           LowCardinality(String),
    first            SimpleAggregateFunction(min, Tuple(partition UInt16, offset UInt64, occurred_at DateTime64(3, 'UTC'))),
    least_content    SimpleAggregateFunction(min, UInt64) COMMENT 'hash of what a message says, not of when and where it was received' CODEC(NONE),
    greatest_content SimpleAggregateFunction(max, UInt64) CODEC(NONE)
)
ENGINE = AggregatingMergeTree
ORDER BY (event_id, source)
SETTINGS index_granularity = 256;

-- No GROUP BY: within a block nearly every identity is unique, and the table merges the others.
-- The columns of a typed event that are not hashed are derived from data.
CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.event_identities_mv TO {database}.event_identities AS
WITH cityHash64(
    type, schemaversion, playback_id, user_id, track_id, occurred_at, test_id, datacontenttype, data, data_base64,
    extensions) AS content
SELECT
    event_id, source, (partition, offset, occurred_at) AS first, content AS least_content, content AS greatest_content
FROM {database}.events;
