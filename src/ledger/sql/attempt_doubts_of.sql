-- The conversations of an entry that a person has to read, oldest first.
SELECT id, to_number, number, outcome, doubt, doubt_at, ended_at, conversation FROM attempt
WHERE entry_id = ?1 AND doubt IS NOT NULL
ORDER BY id;
