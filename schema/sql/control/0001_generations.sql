-- Which generations there are and which one answers. A log of changes: the active generation is the
-- one most recently made active. While a generation is in handover, projectors fold into it already, for as
-- long as a handover counts after its row.
CREATE TABLE IF NOT EXISTS {database}.generations
(
    generation UInt32,
    state      LowCardinality(String) COMMENT 'building, handover, active or discarded',
    changed_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (changed_at, generation);
