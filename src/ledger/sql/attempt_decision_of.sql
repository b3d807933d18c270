-- What decided about the entry for good in any of its conversations: an opt-out, or a person who found the patient
-- deceased.
SELECT outcome FROM attempt
WHERE entry_id = ?1 AND (outcome = 'opt_out' OR (outcome = 'deceased_or_moved' AND reviewed_at IS NOT NULL))
ORDER BY outcome = 'opt_out' DESC LIMIT 1;
