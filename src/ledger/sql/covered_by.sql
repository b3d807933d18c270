-- Calls of the campaign that covered a patient and were made to another entry of the household.
SELECT attempt.state, attempt.outcome, to_number, coalesce(started_at, answered_at, lost_at, intent_at) AS placed_at
FROM covered JOIN attempt ON attempt.id = covered.attempt_id JOIN entry ON entry.id = attempt.entry_id
WHERE covered.key = ?2 AND entry.campaign_id = ?1 AND entry.key <> ?2;
