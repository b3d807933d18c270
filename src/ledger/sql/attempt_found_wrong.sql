-- Whether a call to the patient has shown this number to be wrong: the entry's own, or one of the household.
SELECT 1 FROM attempt WHERE entry_id = ?1 AND to_number = ?2 AND outcome IN ('wrong_number', 'invalid_number')
UNION ALL
SELECT 1
FROM entry JOIN covered ON covered.key = entry.key JOIN attempt ON attempt.id = covered.attempt_id
    JOIN entry AS other ON other.id = attempt.entry_id
WHERE entry.id = ?1 AND other.campaign_id = entry.campaign_id AND to_number = ?2
    AND attempt.outcome IN ('wrong_number', 'invalid_number');
