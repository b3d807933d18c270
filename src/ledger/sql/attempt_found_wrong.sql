-- Whether a call to the patient has shown this number to be wrong: one to the patient's own entry, or one of the household.
SELECT 1 FROM entry JOIN attempt ON attempt.entry_id = entry.id
WHERE campaign_id = ?1 AND key = ?2 AND to_number = ?3 AND attempt.outcome IN ('wrong_number', 'invalid_number')
UNION ALL
SELECT 1
FROM covered JOIN attempt ON attempt.id = covered.attempt_id JOIN entry ON entry.id = attempt.entry_id
WHERE covered.key = ?2 AND campaign_id = ?1 AND to_number = ?3 AND attempt.outcome IN ('wrong_number', 'invalid_number');
