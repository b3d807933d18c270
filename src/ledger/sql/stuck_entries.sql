-- Entries that only a person can settle, each with its newest attempt; with ?1, this entry whatever its state.
SELECT entry.id, entry.run_id, campaign.name AS campaign, key, content, phone, location, entry.state, entry.reason,
    entry.updated_at, attempt.id AS attempt_id, attempt.organisation, from_number, to_number, attempt.state AS attempt_state,
    intent_at, answered_at, lost_at, conversation
FROM entry JOIN campaign ON campaign.id = entry.campaign_id
    LEFT JOIN attempt ON attempt.id = (SELECT max(id) FROM attempt AS newest WHERE newest.entry_id = entry.id)
WHERE CASE WHEN ?1 IS NULL THEN entry.state = 'held' OR entry.state = 'failed' OR entry.state = 'lost_track'
        ELSE entry.id = ?1 END
    AND (?2 IS NULL OR campaign.name = ?2)
ORDER BY entry.campaign_id, entry.id;
