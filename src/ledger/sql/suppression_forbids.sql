-- The words are compared one by one: for an IN list, SQLite would build a table for every query.
SELECT 1 FROM suppression
WHERE phone = ?1 AND (+scope = 'all' OR +scope = ?2) AND (expires_at IS NULL OR expires_at > ?3);
