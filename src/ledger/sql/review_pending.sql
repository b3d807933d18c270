-- The conversations that a person has to read, with their patients; ?1: of one campaign, by name.
SELECT entry.id AS entry_id, campaign.name AS campaign, entry.key, entry.content, entry.location, entry.state,
    attempt.id, to_number, doubt, doubt_at, started_at, ended_at, conversation, (
        SELECT detail FROM event WHERE event.entry_id = entry.id AND attempt_id = attempt.id AND detail IS NOT NULL
            AND kind IN ('ended_in_doubt', 'ended_late', 'reclassified')
        ORDER BY event.id DESC LIMIT 1
    ) AS decided_by
FROM attempt JOIN entry ON entry.id = entry_id JOIN campaign ON campaign.id = entry.campaign_id
WHERE doubt IS NOT NULL AND (?1 IS NULL OR campaign.name = ?1)
ORDER BY doubt_at, attempt.id;
