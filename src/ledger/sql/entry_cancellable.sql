-- Not those with a conversation that a person has to read: only that decides about the number.
SELECT id FROM entry
WHERE run_id = ?1 AND state IN ('ready', 'waiting', 'held')
    AND NOT EXISTS (SELECT 1 FROM attempt WHERE entry_id = entry.id AND doubt IS NOT NULL)
ORDER BY id;
