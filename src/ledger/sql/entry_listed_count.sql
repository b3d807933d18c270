SELECT count(*) FROM entry WHERE run_id = ?1;
