UPDATE campaign SET paused_by = ?2, paused_at = ?3, paused_until = ?4 WHERE id = ?1;
