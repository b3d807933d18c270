-- Calls that were lost track of and are recent enough to be polled again; their entries may have moved on since.
SELECT attempt.id, entry_id, attempt.organisation, from_number, to_number, number, attempt.state, intent_at, answered_at, lost_at, conversation
FROM attempt INDEXED BY attempt_lost_track CROSS JOIN entry ON entry.id = entry_id
WHERE attempt.state = 'lost_track' AND campaign_id = ?1 AND intent_at >= ?2
ORDER BY attempt.id;
