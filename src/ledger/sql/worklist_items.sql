-- Entries that are finished or stuck, of one campaign or of all, each with its last attempt and with what was said in
-- its last conversation that is still kept.
SELECT entry.id, campaign.name AS campaign, entry.run_id, key, content, coalesce(last.to_number, entry.phone) AS phone, location,
    entry.state, entry.reason, entry.outcome, last.id AS attempt_id,
    (SELECT count(*) FROM attempt WHERE entry_id = entry.id AND state NOT IN ('not_placed', 'refused')) AS calls,
    (SELECT max(coalesce(started_at, answered_at, intent_at)) FROM attempt
        WHERE entry_id = entry.id AND state NOT IN ('not_placed', 'refused')) AS last_call_at,
    words.attempt_id IS NOT NULL AS has_words, tags, topic, summary, actions, duration, is_whole
FROM entry JOIN campaign ON campaign.id = entry.campaign_id
    LEFT JOIN attempt AS last ON last.id = (SELECT max(id) FROM attempt WHERE entry_id = entry.id)
    LEFT JOIN conversation_words AS words ON words.attempt_id = (
        SELECT max(attempt.id) FROM attempt JOIN conversation_words ON attempt_id = attempt.id WHERE entry_id = entry.id
    )
WHERE entry.state NOT IN ('ready', 'waiting', 'submitting', 'open', 'unknown') AND (?1 IS NULL OR campaign.name = ?1)
ORDER BY entry.id;
