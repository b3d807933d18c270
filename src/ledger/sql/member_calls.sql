-- Calls of the campaign that were made to a patient's own entry or covered the patient, without those to entry ?3.
SELECT attempt.state, attempt.outcome, to_number, coalesce(started_at, answered_at, lost_at, intent_at) AS placed_at
FROM entry JOIN attempt ON attempt.entry_id = entry.id
WHERE entry.campaign_id = ?1 AND entry.key = ?2 AND entry.id IS NOT ?3
UNION ALL
SELECT attempt.state, attempt.outcome, to_number, coalesce(started_at, answered_at, lost_at, intent_at)
FROM covered JOIN attempt ON attempt.id = covered.attempt_id JOIN entry ON entry.id = attempt.entry_id
WHERE covered.key = ?2 AND entry.campaign_id = ?1 AND entry.id IS NOT ?3;
