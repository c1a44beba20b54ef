-- Which generations there are and which one answers. A log of changes: the active generation is the
-- one most recently made active. While a generation is in handover, projectors fold into it already, until it no longer
-- counts.
CREATE TABLE IF NOT EXISTS {database}.generations
(
    generation   UInt32,
    state        LowCardinality(String) COMMENT 'building, handover, active, discarded or retired',
    changed_at   DateTime64(3, 'UTC') DEFAULT now64(3),
    counts_until DateTime64(3, 'UTC') DEFAULT changed_at COMMENT 'of a handover'
)
ENGINE = MergeTree
ORDER BY (changed_at, generation);
