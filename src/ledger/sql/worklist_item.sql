SELECT run_id, state, reason, outcome, (SELECT max(id) FROM attempt WHERE entry_id = entry.id) AS attempt_id
FROM entry WHERE id = ?1;
