UPDATE run SET paused_by = ?2 WHERE id = ?1 AND ended_at IS NULL;
