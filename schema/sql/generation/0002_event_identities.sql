-- Where each identity stands first in the log, and when that one says it occurred. Two messages under
-- one identity may differ in time and so in the key of events; this table says which of them stands,
-- and finds an event by its id alone. Small granules: it is read by id.
CREATE TABLE IF NOT EXISTS {database}.event_identities
(
    event_id String,
    source   LowCardinality(String),
    first    SimpleAggregateFunction(min, Tuple(partition UInt16, offset UInt64, occurred_at DateTime64(3, 'UTC')))
)
ENGINE = AggregatingMergeTree
ORDER BY (event_id, source)
SETTINGS index_granularity = 256;

-- Ungrouped: nearly every identity of a block is there once, and the table merges the others as it is written.
CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.event_identities_mv TO {database}.event_identities AS
SELECT event_id, source, (partition, offset, occurred_at) AS first
FROM {database}.events;
