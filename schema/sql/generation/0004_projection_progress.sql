-- How far the log is projected: one row per partition after merging. A row is written only after the events below its
-- offset are visible.
CREATE TABLE IF NOT EXISTS {database}.projection_progress
(
    partition        UInt16,
    next_offset      SimpleAggregateFunction(max, UInt64) COMMENT 'every offset below it is stored',
    last_ingest_time SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'of the newest event stored',
    stored_at        SimpleAggregateFunction(max, DateTime64(3, 'UTC')) DEFAULT now64(3)
)
ENGINE = AggregatingMergeTree
ORDER BY partition;
