SELECT run_id = ?2 AS listed, location, state, reason, outcome, min(due_at) AS next_due, count(*) AS count
FROM entry WHERE campaign_id = ?1
GROUP BY listed, location, state, reason, outcome
ORDER BY listed DESC, location, state, reason, outcome;
