-- The conversations of an entry that a person has to read, oldest first.
SELECT id, to_number, doubt, conversation FROM attempt
WHERE entry_id = ?1 AND doubt IS NOT NULL
ORDER BY id;
