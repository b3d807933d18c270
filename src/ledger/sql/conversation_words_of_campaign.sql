-- What was said in a campaign's calls, as far as it is kept whole or in part, oldest first.
SELECT attempt.id, attempt.outcome, attempt.doubt, tags, topic, summary, actions, duration, is_whole,
    reviewed_at IS NOT NULL AS is_reviewed
FROM conversation_words
JOIN attempt ON attempt.id = conversation_words.attempt_id
JOIN entry ON entry.id = attempt.entry_id JOIN campaign ON campaign.id = campaign_id
WHERE campaign.name = ?1
ORDER BY attempt.id;
