-- A conversation that is over, its entry, and whether the entry has no newer call, and no newer list has had it since.
SELECT entry_id, attempt.outcome, doubt, number, to_number, ended_at, entry.state, entry.run_id,
    attempt.id = (SELECT max(id) FROM attempt AS other WHERE other.entry_id = attempt.entry_id
        AND other.state NOT IN ('not_placed', 'refused')) AS is_newest,
    attempt.run_id = entry.run_id AS is_of_newest_list
FROM attempt JOIN entry ON entry.id = entry_id
WHERE attempt.id = ?1 AND attempt.state = 'ended';
