-- If a clock was set back, a call's result is recorded before its intent: the later of both counts.
SELECT state, outcome, max(intent_at, coalesce(started_at, answered_at, lost_at, intent_at)) AS placed_at FROM attempt
WHERE to_number = ?1 AND state NOT IN ('not_placed', 'refused');
