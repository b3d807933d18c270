-- The words that are compared one by one: of a list of them, SQLite would make a table for each question.
SELECT 1 FROM suppression
WHERE phone = ?1 AND (+scope = 'all' OR +scope = ?2) AND (expires_at IS NULL OR expires_at > ?3);
