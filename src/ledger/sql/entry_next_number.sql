-- The entry's first number that no call has dialled: its current one, which a newer list may have set, then the
-- alternates.
WITH number AS (
    SELECT -1 AS rank, phone FROM entry WHERE id = ?1
    UNION ALL
    SELECT other.key, other.value FROM entry, json_each(entry.alternatives) AS other WHERE entry.id = ?1
)
SELECT phone FROM number
WHERE NOT EXISTS (SELECT 1 FROM attempt WHERE entry_id = ?1 AND to_number = phone)
ORDER BY rank LIMIT 1;
