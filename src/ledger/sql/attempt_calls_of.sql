-- A call to a wrong number does not delay the call to the next one.
SELECT count(*) AS calls,
    max(CASE
        WHEN to_number = ?2 OR outcome IS NULL OR outcome NOT IN ('wrong_number', 'invalid_number')
        THEN coalesce(started_at, answered_at, lost_at, intent_at)
    END) AS last_at,
    max(CASE WHEN to_number = ?2 AND outcome IN ('wrong_number', 'invalid_number') THEN outcome END) AS outcome
FROM attempt WHERE entry_id = ?1 AND state NOT IN ('not_placed', 'refused');
