SELECT id FROM entry WHERE run_id = ?1 AND state IN ('ready', 'waiting', 'held') ORDER BY id;
