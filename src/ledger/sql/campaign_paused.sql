SELECT paused_by, paused_at, paused_until FROM campaign
WHERE id = ?1 AND paused_by IS NOT NULL AND (paused_until IS NULL OR paused_until > ?2);
