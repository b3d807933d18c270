SELECT run_id = ?2 AS listed, state, reason, outcome, min(due_at) AS next_due, count(*) AS count
FROM entry WHERE campaign_id = ?1
GROUP BY listed, state, reason, outcome
ORDER BY listed DESC, state, reason, outcome;
