-- Where each identity stands first in the log, and when that one says it occurred. Two messages under
-- one identity may differ in time and so in the key of events; this table says which of them stands,
-- and finds an event by its id alone. The least and the greatest hash of what its messages say differ
-- exactly when two of them differ, in whatever order and however often they are stored. Small
-- granules: it is read by id.
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

-- Ungrouped: nearly every identity of a block is there once, and the table merges the others as it is written.
-- The other columns of a typed event are read from its data.
CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.event_identities_mv TO {database}.event_identities AS
WITH cityHash64(
    type, schemaversion, playback_id, user_id, track_id, occurred_at, test_id, datacontenttype, data, data_base64,
    extensions) AS content
SELECT
    event_id, source, (partition, offset, occurred_at) AS first, content AS least_content, content AS greatest_content
FROM {database}.events;
