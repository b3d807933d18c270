-- A run that was killed or interrupted has not said which entries have expired.
WITH reported AS (
    SELECT coalesce(max(ended_at), 0) AS until FROM run
    WHERE campaign_id = ?1 AND id < ?2 AND ending NOT IN ('superseded', 'interrupted')
)
SELECT run_id = ?2 AS listed, location, state, reason, outcome, min(due_at) AS next_due, count(*) AS count,
    state = 'expired' AND outcome IS NULL AND updated_at > (SELECT until FROM reported) AS expired_uncalled,
    CASE WHEN state = 'suppressed' AND reason = 'suppressed' THEN (
        SELECT doubt FROM attempt INDEXED BY attempt_in_doubt WHERE to_number = phone AND doubt IS NOT NULL LIMIT 1
    ) END AS barred_by
FROM entry WHERE campaign_id = ?1
GROUP BY listed, location, state, reason, outcome, expired_uncalled, barred_by
ORDER BY listed DESC, location, state, reason, outcome;
