SELECT 1 FROM run WHERE id = ?1 AND ended_at IS NOT NULL;
