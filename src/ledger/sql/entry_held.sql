-- An entry, and its newest attempt if that attempt's answer was lost or the vendor refused it.
SELECT run_id, state, reason, (
    SELECT max(id) FROM attempt WHERE entry_id = entry.id AND state IN ('absent', 'refused')
        AND id = (SELECT max(id) FROM attempt AS newest WHERE newest.entry_id = entry.id)
) AS attempt_id
FROM entry WHERE id = ?1;
