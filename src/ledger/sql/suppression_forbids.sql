SELECT 1 FROM suppression
WHERE phone = ?1 AND scope IN ('all', ?2) AND (expires_at IS NULL OR expires_at > ?3);
