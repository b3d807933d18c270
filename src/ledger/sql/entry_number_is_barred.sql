-- Whether the suppression list, or what may have been an opt-out, forbids the entry's campaign to call this number.
SELECT EXISTS (
    SELECT 1 FROM suppression
    WHERE phone = ?2 AND (expires_at IS NULL OR expires_at > ?3)
        AND (scope = 'all' OR scope = (SELECT purpose FROM entry JOIN campaign ON campaign.id = campaign_id WHERE entry.id = ?1))
    UNION ALL
    SELECT 1 FROM attempt INDEXED BY attempt_in_doubt WHERE to_number = ?2 AND doubt IS NOT NULL
);
