-- Whether no call to the patient has shown this number to be wrong, and a call is left: by the entry's own calls and those
-- of the household that covered its patient.
WITH call AS (
    SELECT attempt.state, attempt.reason, attempt.outcome, to_number FROM attempt WHERE entry_id = ?1
    UNION ALL
    SELECT attempt.state, attempt.reason, attempt.outcome, to_number
    FROM entry JOIN covered ON covered.key = entry.key JOIN attempt ON attempt.id = covered.attempt_id
        JOIN entry AS other ON other.id = attempt.entry_id
    WHERE entry.id = ?1 AND other.campaign_id = entry.campaign_id AND other.id <> ?1
)
SELECT count(*) FILTER (WHERE state NOT IN ('not_placed', 'refused')) < ?3
    AND count(*) FILTER (
        WHERE to_number = ?2 AND (outcome IN ('wrong_number', 'invalid_number') OR state = 'refused')
    ) = 0
FROM call;
