-- Joins from the few attempts in flight to their entries, so that it never scans the campaign's entries.
SELECT attempt.id, entry_id, attempt.organisation, from_number, to_number, number, attempt.state, intent_at, answered_at, lost_at, conversation
FROM attempt INDEXED BY attempt_under_way CROSS JOIN entry ON entry.id = entry_id
WHERE (attempt.state = 'submitting' OR attempt.state = 'open' OR attempt.state = 'unknown') AND campaign_id = ?1
ORDER BY attempt.id;
