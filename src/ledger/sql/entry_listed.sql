UPDATE entry SET run_id = ?2, line = ?3 WHERE id = ?1;
