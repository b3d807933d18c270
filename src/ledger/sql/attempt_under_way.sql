SELECT attempt.id, entry_id, attempt.organisation, from_number, to_number, number, attempt.state, intent_at, answered_at, lost_at, conversation
FROM attempt JOIN entry ON entry.id = entry_id
WHERE attempt.state IN ('submitting', 'open', 'unknown') AND campaign_id = ?1
ORDER BY attempt.id;
