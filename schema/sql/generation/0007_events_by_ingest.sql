-- An index on ingest time, for queries over a window of it. events is sorted by occurred_at, and an event may be ingested
-- up to 400 days later: without the index, such a query reads 400 days of events.
ALTER TABLE {database}.events ADD INDEX IF NOT EXISTS by_ingest ingest_time TYPE minmax GRANULARITY 1;
