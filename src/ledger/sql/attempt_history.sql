SELECT state, outcome, coalesce(started_at, answered_at, lost_at, intent_at) AS placed_at FROM attempt
WHERE to_number = ?1 AND state NOT IN ('not_placed', 'refused');
