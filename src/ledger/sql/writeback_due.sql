-- The calls of a campaign that are over and that no write-back file tells yet; one that a person still has to read
-- waits.
SELECT attempt.id, entry_id, number, to_number, attempt.outcome, coalesce(started_at, answered_at, intent_at) AS called_at,
    entry.key, content, location, words.attempt_id IS NOT NULL AS has_words, tags, topic, summary, actions, duration, is_whole
FROM attempt JOIN entry ON entry.id = entry_id JOIN campaign ON campaign.id = entry.campaign_id
    LEFT JOIN conversation_words AS words ON words.attempt_id = attempt.id
WHERE campaign.name = ?1 AND attempt.state = 'ended'
    AND doubt IS NULL
    AND NOT EXISTS (SELECT 1 FROM writeback_call WHERE attempt_id = attempt.id)
ORDER BY attempt.id;
