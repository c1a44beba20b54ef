-- When events were accepted, for questions about a window of that time. The table is sorted by when they occurred, and an event may
-- be accepted long after that: without this index such a question reads everything that occurred in the 400 days before.
ALTER TABLE {database}.events ADD INDEX IF NOT EXISTS by_ingest ingest_time TYPE minmax GRANULARITY 1;
