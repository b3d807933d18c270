-- Words that are as old as the data that is purged, and those of the entries that are; ?2 is an empty content.
DELETE FROM conversation_words
WHERE kept_at < ?1 OR attempt_id IN (SELECT attempt.id FROM attempt JOIN entry ON entry.id = entry_id WHERE content = ?2);
