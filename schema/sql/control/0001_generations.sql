-- The generations and their states, as a log of changes: the active generation is the one whose activation is the latest.
-- During a handover, projectors already write to the next generation.
CREATE TABLE IF NOT EXISTS {database}.generations
(
    generation   UInt32,
    state        LowCardinality(String) COMMENT 'building, handover, active, discarded or retired',
    changed_at   DateTime64(3, 'UTC') DEFAULT now64(3),
    counts_until DateTime64(3, 'UTC') DEFAULT changed_at COMMENT 'of a handover'
)
ENGINE = MergeTree
ORDER BY (changed_at, generation);
