-- A playback is read by its id: all columns of a granule at once. In one file they are read in one go, from a dozen files the
-- opening and seeking cost more than the reading (docs/adr/0011). Parts written before keep their shape until they are merged.
ALTER TABLE {database}.playbacks_state MODIFY SETTING min_bytes_for_wide_part = 1099511627776, min_rows_for_wide_part = 1099511627776;
