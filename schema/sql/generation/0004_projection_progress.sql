-- How far the log has been folded: one row a partition after merging. Written after the rows it speaks
-- of are visible, never before.
CREATE TABLE IF NOT EXISTS {database}.projection_progress
(
    partition        UInt16,
    next_offset      SimpleAggregateFunction(max, UInt64) COMMENT 'every offset below it is stored',
    last_ingest_time SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'of the newest event stored',
    stored_at        SimpleAggregateFunction(max, DateTime64(3, 'UTC')) DEFAULT now64(3)
)
ENGINE = AggregatingMergeTree
ORDER BY partition;
