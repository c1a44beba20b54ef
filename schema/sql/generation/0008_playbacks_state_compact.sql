-- A read by id needs all columns of a granule. In a compact part they are in one file; opening and seeking a dozen files
-- costs more than reading them (docs/adr/0011). Older parts change their format when they are merged.
ALTER TABLE {database}.playbacks_state MODIFY SETTING min_bytes_for_wide_part = 1099511627776, min_rows_for_wide_part = 1099511627776;
