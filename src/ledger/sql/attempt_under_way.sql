-- The few that are under way first, and then each one's entry: never all entries of the campaign.
SELECT attempt.id, entry_id, attempt.organisation, from_number, to_number, number, attempt.state, intent_at, answered_at, lost_at, conversation
FROM attempt INDEXED BY attempt_under_way CROSS JOIN entry ON entry.id = entry_id
WHERE (attempt.state = 'submitting' OR attempt.state = 'open' OR attempt.state = 'unknown') AND campaign_id = ?1
ORDER BY attempt.id;
