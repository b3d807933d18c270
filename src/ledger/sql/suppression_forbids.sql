-- The words are compared one by one: for an IN list, SQLite would build a table for every query.
SELECT 1 FROM suppression
WHERE phone = ?1 AND (+scope = 'all' OR +scope = ?2) AND (expires_at IS NULL OR expires_at > ?3)
UNION ALL
SELECT 1 FROM attempt INDEXED BY attempt_in_doubt WHERE to_number = ?1 AND doubt IS NOT NULL;
