INSERT INTO earlier_listing (entry_id, from_run, to_run) SELECT id, listed_since, run_id FROM entry WHERE id = ?1 AND run_id < ?2;
