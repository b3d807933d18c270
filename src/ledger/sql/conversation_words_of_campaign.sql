-- What was said in a campaign's calls, as far as it is kept whole or in part, oldest first.
SELECT attempt.id, attempt.outcome, attempt.doubt, tags, topic, summary, actions, duration, is_whole,
    EXISTS (SELECT 1 FROM event WHERE event.entry_id = attempt.entry_id AND attempt_id = attempt.id AND kind = 'reviewed')
        AS is_reviewed
FROM conversation_words
JOIN attempt ON attempt.id = conversation_words.attempt_id
JOIN entry ON entry.id = attempt.entry_id JOIN campaign ON campaign.id = campaign_id
WHERE campaign.name = ?1
ORDER BY attempt.id;
