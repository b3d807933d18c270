UPDATE campaign SET paused_by = NULL, paused_at = NULL, paused_until = NULL
WHERE id = ?1 AND paused_by IS NOT NULL;
